import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { asc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { plugins } from '../plugins/index.js';
import { Heartbeats } from '../src/features/upkeep/heartbeats/heartbeats.js';
import { PluginRegistry } from '../src/host/registry/index.js';
import { defineOutput } from '../src/kit/index.js';
import { connections, deliveries } from '../src/platform/database/index.js';
import type { DeliveryRig } from './support/delivery-rig.js';
import { DeliveryScene, range } from './support/delivery-scene.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A partner that forgets after 24 days: a cycle is eight days, and a slice's slot eight hours. */
const EXPIRE_DAYS = 24;
const MONTH_MS = 40 * DAY_MS;
const CYCLE_MS = (EXPIRE_DAYS / 3) * DAY_MS;
const STEP_MS = 8 * HOUR_MS;

/** When the connector that takes whole states made one the partner's. */
const states: number[] = [];

const wholeStates = defineOutput({
  id: 'forgetful-states',
  name: 'Forgetful',
  description: 'Takes whole states, and forgets them.',
  version: '1.0.0',
  settings: z.object({}),
  credentials: z.object({}),
  connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'raw' }],
  limits: { batchSize: 100 },
  expireAfterMs: () => EXPIRE_DAYS * DAY_MS,
  check: async () => undefined,
  audience: {
    add: async () => ({ status: 'done', rejected: [] }),
    replace: {
      wanted: () => true,
      write: async () => undefined,
      finish: async (ctx) => void states.push(ctx.now().getTime()),
    },
  },
});

let scene: DeliveryScene;
let rig: DeliveryRig;
/** As many schedulers. */
let schedulers: Heartbeats[];

beforeAll(async () => {
  scene = await DeliveryScene.open([wholeStates]);
  rig = scene.rig;
  const registry = new PluginRegistry([...plugins, wholeStates]);
  const { db, ledger, clock } = rig;
  schedulers = [0, 1].map(() => new Heartbeats({ db, ledger, registry, queue: rig.hub.queue, clock }));
}, 120_000);
afterAll(() => rig?.stop());
beforeEach(() => scene.begin());
afterEach(async () => {
  await rig.db.update(connections).set({ status: 'inactive' });
  await scene.sink.stop();
});

/** A process with every role: what is due at this moment is done, by two schedulers at once. */
async function live(): Promise<void> {
  await rig.hub.sweep.run();
  await rig.work();
  await Promise.all(schedulers.map((scheduler) => scheduler.wakeAll()));
  await rig.work();
}

async function connected(members: Iterable<number>): Promise<{ audienceId: number; connectionId: string }> {
  const audienceId = await rig.audience();
  await rig.publish(audienceId, members);
  const settings = { url: scene.sink.url, batchSize: 100, expireAfterDays: EXPIRE_DAYS };
  const output = await rig.output('webhook', settings, { secret: 'shared-with-the-sink' });
  return { audienceId, connectionId: await rig.connect(audienceId, output) };
}

const heartbeatsOf = async (connectionId: string) => {
  const all = await rig.db
    .select()
    .from(deliveries)
    .where(eq(deliveries.connectionId, connectionId))
    .orderBy(asc(deliveries.createdAt));
  return all.filter(({ sendsAgain }) => sendsAgain?.heartbeat !== undefined);
};

const slotsOf = ({ sendsAgain }: typeof deliveries.$inferSelect) =>
  Object.entries(sendsAgain?.heartbeat?.slots ?? {}).map(([slice, slotMs]) => `${slice} ${slotMs}`);

describe('a partner that forgets members who are not added again', () => {
  it('forgets nobody in a month with outages, and is told of nobody more often than it takes', async () => {
    const { sink } = scene;
    const { audienceId, connectionId } = await connected(range(1, 80));
    const begunMs = rig.clock.now().getTime();
    const adds = new Map<string, number[]>();
    let read = 0;
    let longestMs = 0;
    const dayOf = () => (rig.clock.now().getTime() - begunMs) / DAY_MS;
    const isBetween = (from: number, to: number) => dayOf() >= from && dayOf() < to;
    sink.failure = () => (isBetween(21, 24) ? { status: 503 } : undefined);
    const audience = new Map<number, Iterable<number>>([
      [3, range(11, 90)],
      [8, [...range(11, 40), ...range(61, 100)]],
      // Who had left comes back.
      [9, range(11, 100)],
      [35, range(21, 110)],
    ]);
    for (let step = 0; step < MONTH_MS / STEP_MS; step += 1) {
      const members = audience.get(dayOf());
      if (members) await rig.publish(audienceId, members);
      // The hub itself is down for the best part of a cycle.
      if (!isBetween(27, 33)) await live();
      const nowMs = rig.clock.now().getTime();
      for (const { operation, mpids, status } of sink.batches.slice(read)) {
        if (status !== 200) continue;
        for (const mpid of mpids) {
          if (operation === 'add') adds.set(mpid, [...(adds.get(mpid) ?? []), nowMs]);
          else adds.delete(mpid);
        }
      }
      read = sink.batches.length;
      for (const mpid of sink.members) {
        longestMs = Math.max(longestMs, nowMs - (adds.get(mpid)?.at(-1) ?? -Infinity));
      }
      rig.clock.advance(STEP_MS);
    }
    expect([...sink.members].map(Number).sort((one, other) => one - other)).toEqual(range(21, 110));
    expect(longestMs).toBeLessThan(EXPIRE_DAYS * DAY_MS);
    // Without outages it would be two cycles and a slot; the partner may be away for most of the third.
    expect(longestMs).toBeGreaterThan(CYCLE_MS);
    const often = Math.max(...[...adds.values()].map((times) => times.length));
    expect(often).toBeLessThanOrEqual(1 + Math.ceil(MONTH_MS / CYCLE_MS));
    const beats = await heartbeatsOf(connectionId);
    const slots = beats.flatMap(slotsOf);
    expect(new Set(slots).size).toBe(slots.length);
    expect(beats.every(({ state }) => state === 'delivered')).toBe(true);
    // One slice after the other; only what the outages held up goes together.
    const together = beats.filter((one) => slotsOf(one).length > 1).map((one) => slotsOf(one).length);
    expect(together.length).toBeLessThanOrEqual(4);
    expect(beats.length).toBeGreaterThan(50);
  }, 300_000);

  it('is told of no slice twice, however many schedulers look and whoever is killed', async () => {
    const { connectionId } = await connected(range(1001, 1300));
    await live();
    await live();
    for (let days = 0; days < 18; days += 1) {
      rig.clock.advance(DAY_MS);
      await Promise.all([...schedulers, ...schedulers].map((scheduler) => scheduler.wakeAll()));
      const killed = days === 12;
      scene.sink.failure = () => (killed ? 'lost answer' : undefined);
      await rig.work();
      scene.sink.failure = () => undefined;
      if (killed) await rig.killed(connectionId);
      await rig.hub.sweep.run();
      rig.clock.advance(60_000);
      await rig.hub.sweep.run();
      await rig.work();
    }
    const beats = await heartbeatsOf(connectionId);
    const slots = beats.flatMap(slotsOf);
    expect(slots.length).toBeGreaterThan(24);
    expect(new Set(slots).size).toBe(slots.length);
    const taken = new Map(scene.sink.batches.map(({ key, mpids }) => [key, mpids]));
    const added = [...taken.values()].flat().length - 300;
    expect(added).toBe(beats.reduce((sum, { accepted }) => sum + accepted, 0));
    expect(scene.sink.batches.length).toBeGreaterThan(taken.size);
  }, 120_000);

  it('gets a whole state once a cycle where it takes those', async () => {
    const audienceId = await rig.audience();
    await rig.publish(audienceId, range(2001, 2010));
    await rig.connect(audienceId, await rig.output('forgetful-states', {}));
    for (let days = 0; days < 40; days += 1) {
      await live();
      rig.clock.advance(DAY_MS);
    }
    const gaps = states.slice(1).map((atMs, index) => (atMs - (states[index] ?? 0)) / DAY_MS);
    expect(gaps.length).toBeGreaterThanOrEqual(3);
    for (const days of gaps) expect(days).toBeGreaterThanOrEqual(CYCLE_MS / DAY_MS);
    for (const days of gaps) expect(days).toBeLessThanOrEqual(EXPIRE_DAYS);
  }, 120_000);
});
