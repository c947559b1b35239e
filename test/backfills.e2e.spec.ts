import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { asc, eq, sql } from 'drizzle-orm';
import { connectionUpkeep, deliveries } from '../src/platform/database/index.js';
import type { DeliveryRig } from './support/delivery-rig.js';
import { BARE, DeliveryScene, range, SENT } from './support/delivery-scene.js';

const MINUTE_MS = 60_000;

let scene: DeliveryScene;
let rig: DeliveryRig;

beforeAll(async () => {
  scene = await DeliveryScene.open();
  rig = scene.rig;
}, 120_000);
afterAll(() => rig?.stop());
beforeEach(() => scene.begin());
afterEach(() => scene.sink.stop());

/** Somebody asks that all members are sent again. */
async function ask(connectionId: string): Promise<void> {
  await rig.db
    .insert(connectionUpkeep)
    .values({ connectionId, workspaceId: rig.workspaceId, backfillsWanted: 1 })
    .onConflictDoUpdate({
      target: connectionUpkeep.connectionId,
      set: { backfillsWanted: sql`${connectionUpkeep.backfillsWanted} + 1` },
    });
}

const all = (connectionId: string) =>
  rig.db
    .select()
    .from(deliveries)
    .where(eq(deliveries.connectionId, connectionId))
    .orderBy(asc(deliveries.createdAt));

/** How often each of the members was sent by an add that was answered. */
function sendings(): number[] {
  const times = new Map<number, number>();
  const keys = new Set<string>();
  for (const { key, operation, mpids } of scene.sink.batches) {
    if (operation === 'remove' || keys.has(key)) continue;
    keys.add(key);
    for (const mpid of mpids) times.set(Number(mpid), (times.get(Number(mpid)) ?? 0) + 1);
  }
  return [...new Set(SENT.map((mpid) => times.get(mpid) ?? 0))];
}

describe('a backfill', () => {
  it('sends every member once more, however often it was asked for before it began', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    for (let times = 0; times < 3; times += 1) await ask(connectionId);
    await Promise.all([rig.hub.planner.wakeAll(), rig.hub.planner.wakeConnection(connectionId)]);
    await rig.work();
    await rig.sweepAfter(MINUTE_MS);
    expect(sendings()).toEqual([2]);
    const made = await all(connectionId);
    expect(made).toHaveLength(2);
    expect(made[1]).toMatchObject({ state: 'delivered', planned: 350, accepted: 345, skipped: 5 });
    expect(made[1]).toMatchObject({ fromVersion: 1, toVersion: 1, sendsAgain: { backfill: 3 } });
  });

  it('that is asked for while one is under way comes after it', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await ask(connectionId);
    await rig.hub.planner.wakeAll();
    await ask(connectionId);
    await rig.work();
    await rig.sweepAfter(MINUTE_MS);
    expect(sendings()).toEqual([3]);
    expect(await all(connectionId)).toHaveLength(3);
  });

  it('goes on where a SIGKILL cut it off, under the same ids', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await ask(connectionId);
    scene.sink.failure = (batch) => (batch === 6 ? 'lost answer' : undefined);
    await rig.hub.planner.wakeAll();
    await rig.work();
    scene.sink.failure = () => undefined;
    await rig.killed(connectionId);
    await rig.sweepAfter(MINUTE_MS);
    expect(sendings()).toEqual([2]);
    const keys = scene.sink.batches.map(({ key }) => key);
    expect(new Set(keys).size).toBe(8);
    expect((await all(connectionId)).at(-1)).toMatchObject({ state: 'delivered', planned: 350 });
  });

  it('goes with the next version, behind who came and left, and tells nobody who left', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await ask(connectionId);
    await rig.publish(audienceId, range(11, 360), BARE);
    await rig.wake(audienceId);
    const sent = scene.sink.batches.slice(4).map(({ operation, mpids }) => [operation, mpids.length]);
    expect(sent).toEqual([
      ['add', 10],
      ['remove', 10],
      ['add', 100],
      ['add', 100],
      ['add', 100],
      ['add', 35],
    ]);
    const last = (await all(connectionId)).at(-1);
    expect(last).toMatchObject({ planned: 360, accepted: 355, skipped: 5, fromVersion: 1, toVersion: 2 });
    expect(scene.sink.members.size).toBe(345);
  });

  it('is the first delivery itself where that is still to end', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await ask(connectionId);
    await rig.wake(audienceId);
    await rig.sweepAfter(MINUTE_MS);
    await scene.expectDelivered(connectionId, SENT, 1);
    expect(await all(connectionId)).toHaveLength(1);
  });

  it('that was done already when a slow scheduler makes it is cancelled before anything is sent', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await ask(connectionId);
    await rig.sweepAfter(MINUTE_MS);
    const [, done] = await all(connectionId);
    if (!done) throw new Error('There was no backfill.');
    const { workspaceId, fromVersion, toVersion, sendsAgain } = done;
    await rig.db.insert(deliveries).values({ workspaceId, connectionId, fromVersion, toVersion, sendsAgain });
    await rig.sweepAfter(MINUTE_MS);
    expect(sendings()).toEqual([2]);
    expect((await all(connectionId)).map(({ state }) => state)).toEqual([
      'delivered',
      'delivered',
      'cancelled',
    ]);
  });
});
