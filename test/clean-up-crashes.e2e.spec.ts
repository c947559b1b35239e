import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { AudienceRecords } from '../src/features/audiences/audience-records.js';
import { AudienceCleanUp } from '../src/features/audiences/deletion/audience-clean-up.js';
import { AudienceDeletion } from '../src/features/audiences/deletion/audience-deletion.js';
import { AudienceRemovals } from '../src/features/audiences/deletion/audience-removals.js';
import type { AudienceRemovalView } from '../src/features/audiences/deletion/deletion.dto.js';
import { Ledger } from '../src/features/ledger/index.js';
import { audiences, connections } from '../src/platform/database/index.js';
import { Leases } from '../src/platform/lease/index.js';
import { ADMIN, DeliveryRig } from './support/delivery-rig.js';
import { Mortal } from './support/mortal.js';
import { MemoryPartner, oneListOf } from './support/one-list.js';

const partner = new MemoryPartner();
let rig: DeliveryRig;
let removals: AudienceRemovals;
beforeAll(async () => {
  rig = await DeliveryRig.start([oneListOf(partner)]);
  removals = new AudienceRemovals(rig.db, new AudienceRecords(rig.db));
}, 120_000);
afterAll(() => rig?.stop());
beforeEach(() => partner.reset());

/** A deleted audience: out at one partner, never sent to another, and given up at a third with its output. */
async function deleted(): Promise<number> {
  const audienceId = await rig.audience();
  const outputs = [randomUUID(), randomUUID(), randomUUID()].map((list) => rig.output('one-list', { list }));
  const [sent = '', unsent = '', gone = ''] = await Promise.all(outputs);
  await rig.publish(audienceId, [1, 2, 3, 4]);
  for (const output of [sent, gone]) await rig.connect(audienceId, output);
  await rig.wake(audienceId);
  const idle = await rig.connect(audienceId, unsent);
  await rig.db.update(connections).set({ status: 'inactive' }).where(eq(connections.id, idle));
  const { hub, db, clock } = rig;
  const records = new AudienceRecords(db);
  const deletion = new AudienceDeletion(db, clock, hub.queue, records, hub.removals.deletion);
  await deletion.delete(ADMIN, audienceId, true);
  const going = await db.select().from(connections).where(eq(connections.outputId, gone));
  await db.transaction((tx) => hub.removals.deletion.giveUp(tx, going[0]?.id ?? '', ADMIN.name));
  await rig.work();
  const ended = await db.select().from(connections).where(eq(connections.audienceId, audienceId));
  expect(ended.map(({ status }) => status)).toEqual(['removed', 'removed']);
  return audienceId;
}

/** What a process does that took the hint; its lease runs out if it dies. */
async function cleanUp(audienceId: number, deathAt?: number): Promise<Mortal> {
  const process = new Mortal(deathAt);
  const db = process.database(rig.db);
  const ledger = new Ledger(process.engine(rig.engine));
  const parts = [db, rig.hub.queue, rig.clock, new Leases(db, 60_000), ledger] as const;
  await new AudienceCleanUp(...parts).run(audienceId).catch((error: unknown) => {
    if (!process.isDead) throw error;
  });
  await new Leases(rig.db, 60_000).releaseAll();
  return process;
}

/** What is told of a removal, whichever audience it is of. */
const toldOf = async (audienceId: number) => {
  const told = await removals.get(ADMIN, audienceId);
  const ends = told.connections.map(
    ({ status, removal, counts }: AudienceRemovalView['connections'][number]) => ({
      status,
      counts,
      members: removal.members,
      outcome: removal.outcome,
      stays: removal.stays,
    }),
  );
  return { name: told.name, isFinished: told.finishedAt !== null, ends };
};

async function left(audienceId: number) {
  const [row] = await rig.engine.query<{ n: string }>(
    `SELECT count() AS n FROM ledger WHERE audience_id = ${audienceId}`,
  );
  return {
    members: Number(row?.n ?? 0),
    audiences: await rig.db.$count(audiences, eq(audiences.id, audienceId)),
    connections: await rig.db.$count(connections, eq(connections.audienceId, audienceId)),
  };
}

const NOTHING = { members: 0, audiences: 0, connections: 0 };

describe('the clean-up of a deleted audience', () => {
  it('keeps how its removals ended, wherever the process dies, and leaves nothing else when it is run again', async () => {
    const whole = await deleted();
    const before = await toldOf(whole);
    expect(before).toMatchObject({ isFinished: true });
    const outcomes = new Set(before.ends.map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['given_up', 'never_sent', 'removed']));
    const { asked } = await cleanUp(whole);
    expect([await toldOf(whole), await left(whole)]).toEqual([before, NOTHING]);
    for (let at = 1; at <= asked; at += 1) {
      const audienceId = await deleted();
      expect((await cleanUp(audienceId, at)).isDead).toBe(true);
      // In between too: whatever is gone by then is noted.
      expect([at, await toldOf(audienceId)]).toEqual([at, before]);
      await cleanUp(audienceId);
      expect([at, await toldOf(audienceId)]).toEqual([at, before]);
      expect(await left(audienceId)).toEqual(NOTHING);
    }
  }, 240_000);
});
