import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import * as fc from 'fast-check';
import { ATTRIBUTE_CODE } from '../src/domain/identities/index.js';
import { appendIdentityChanges } from '../src/features/ledger/index.js';
import { connections, workspaces } from '../src/platform/database/index.js';
import type { DeliveryRig } from './support/delivery-rig.js';
import { BARE, DeliveryScene, range } from './support/delivery-scene.js';
import type { Sink } from './support/sink.js';

const MINUTE_MS = 60_000;

let scene: DeliveryScene;
let rig: DeliveryRig;
let sink: Sink;

beforeAll(async () => {
  scene = await DeliveryScene.open();
  rig = scene.rig;
}, 60_000);
afterAll(() => rig?.stop());
beforeEach(async () => {
  await scene.begin();
  sink = scene.sink;
});
afterEach(() => sink.stop());

describe('identities learned later', () => {
  const second = (mpid: number) => `p${mpid}-second@example.com`;
  const taught = (...mpids: number[]) => new Map(mpids.map((mpid) => [mpid, second(mpid)]));

  /** Profiles learn values of an attribute, of which only this is told. */
  async function teachAttribute(key: string, mpids: readonly number[]): Promise<void> {
    const select = `SELECT arrayJoin([${mpids.map((mpid) => `toInt64(${mpid})`).join(', ')}]) AS mpid,
      ${ATTRIBUTE_CODE} AS type, toUInt128(0) AS hash, '${key}' AS value, 1 AS sign`;
    const identitySequence = await appendIdentityChanges(rig.engine, rig.workspace, select);
    await rig.db.update(workspaces).set({ identitySequence }).where(eq(workspaces.id, rig.workspaceId));
  }

  it('go out for members who stay, although no version says so, and once', async () => {
    const audienceId = await rig.audience();
    await rig.publish(audienceId, range(8001, 8350), [8350]);
    const connectionId = await rig.connectWebhook(audienceId, sink.url);
    await rig.wake(audienceId);
    await rig.teach(taught(8007, 8350, 900));
    await rig.hub.learning.wake(rig.workspaceId);
    await rig.hub.learning.wake(rig.workspaceId);
    await rig.work();
    const delivery = await rig.delivery(connectionId);
    expect(delivery).toMatchObject({
      fromVersion: 1,
      toVersion: 1,
      state: 'delivered',
      planned: 2,
      accepted: 2,
    });
    expect(sink.batches.slice(4).map(({ operation, mpids }) => [operation, mpids])).toEqual([
      ['add', ['8007', '8350']],
    ]);
    expect(sink.emails.get('8007')).toEqual([second(8007), 'p8007@example.com']);
    expect(sink.emails.get('8350')).toEqual([second(8350)]);
    await rig.sweepAfter(0);
    expect(sink.batches.length).toBe(5);
  });

  it('are those by which it was planned, whatever is chosen for the connection until they are out', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await rig.teach(taught(7));
    await teachAttribute('party', [8, 9]);
    sink.failure = (_, event) => (event === 'audience.members' ? { status: 500 } : undefined);
    await rig.hub.learning.wake(rig.workspaceId);
    await rig.work();
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'queued', planned: 1, accepted: 0 });
    const chosen = { attributes: ['Party'] };
    await rig.db.update(connections).set(chosen).where(eq(connections.id, connectionId));
    sink.failure = () => undefined;
    await rig.sweepAfter(MINUTE_MS);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered', planned: 1, accepted: 1 });
    expect(sink.batches.at(-1)?.mpids).toEqual(['7']);
  });

  it('go out with the next version, behind who came and left', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await rig.teach(taught(1, 20, 355));
    await rig.publish(audienceId, range(11, 360), BARE);
    await rig.wake(audienceId);
    expect(await rig.delivery(connectionId)).toMatchObject({ planned: 21, accepted: 21, skipped: 0 });
    expect(sink.batches.slice(4).map(({ operation, mpids }) => [operation, mpids.length])).toEqual([
      ['add', 10],
      ['remove', 10],
      ['add', 1],
    ]);
    expect(sink.emails.get('20')).toEqual([second(20), 'p20@example.com']);
    expect(sink.emails.get('355')).toEqual([second(355), 'p355@example.com']);
    expect(sink.emails.has('1')).toBe(false);
  });

  it('wake no connection whose audience they are not in', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await rig.teach(taught(4711));
    await rig.sweepAfter(0);
    expect(await rig.delivery(connectionId)).toMatchObject({ fromVersion: 0, toVersion: 1 });
    expect(sink.batches.length).toBe(4);
    const { deliveredIdentities } = await rig.connection(connectionId);
    expect(deliveredIdentities).toBeGreaterThan(0);
  });

  it('go out again under the same ids after a SIGKILL, and under others the next time', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await rig.teach(new Map(range(1, 250).map((mpid) => [mpid, second(mpid)])));
    sink.failure = (batch) => (batch === 6 ? 'lost answer' : undefined);
    await rig.hub.learning.wakeAll();
    await rig.work();
    sink.failure = () => undefined;
    await rig.killed(connectionId);
    await rig.sweepAfter(MINUTE_MS);
    expect(await rig.delivery(connectionId)).toMatchObject({
      state: 'delivered',
      planned: 250,
      accepted: 250,
    });
    const keys = sink.batches.slice(4).map(({ key }) => key);
    expect([keys.length, new Set(keys).size]).toEqual([4, 3]);

    await rig.teach(new Map(range(1, 250).map((mpid) => [mpid, `p${mpid}-third@example.com`])));
    await rig.sweepAfter(0);
    const all = sink.batches.map(({ key }) => key);
    expect([all.length, new Set(all).size]).toEqual([11, 10]);
    expect(sink.emails.get('250')?.length).toBe(3);
  });
});

describe('whatever is imported and taught', () => {
  /** Who is a member next, if anything was published, and who learned an address meanwhile. */
  const step = fc.record({
    members: fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 10 })),
    taught: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
    cut: fc.boolean(),
  });

  it('leaves the partner with every identity of every member, and nothing else', async () => {
    let base = 20_000;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
        base += 100;
        sink.reset();
        const audienceId = await rig.audience();
        const connectionId = await rig.connectWebhook(audienceId, sink.url);
        const emails = new Map<number, string[]>();
        let members: number[] = [];
        for (const [index, { members: next, taught, cut }] of steps.entries()) {
          const learned = taught.map((n) => base + n).filter((mpid) => emails.has(mpid));
          const addresses = new Map(learned.map((mpid) => [mpid, `q${mpid}-${index}@example.com`]));
          for (const [mpid, email] of addresses) emails.get(mpid)?.push(email);
          if (addresses.size > 0) await rig.teach(addresses);
          if (next) {
            members = next.map((n) => base + n);
            for (const mpid of members) if (!emails.has(mpid)) emails.set(mpid, [`p${mpid}@example.com`]);
            await rig.publish(audienceId, members);
          }
          let lost = !cut;
          sink.failure = () => {
            if (lost) return undefined;
            lost = true;
            return 'lost answer';
          };
          await rig.sweepAfter(0);
          await rig.killed(connectionId);
          await rig.sweepAfter(MINUTE_MS);
          await rig.sweepAfter(MINUTE_MS);
        }
        const expected = members.map((mpid) => [String(mpid), [...(emails.get(mpid) ?? [])].toSorted()]);
        expect(Object.fromEntries(sink.emails)).toEqual(Object.fromEntries(expected));
      }),
      { numRuns: 8 },
    );
  }, 60_000);
});
