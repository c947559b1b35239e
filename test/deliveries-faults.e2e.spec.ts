import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { connections } from '../src/platform/database/index.js';
import { ADMIN, type DeliveryRig } from './support/delivery-rig.js';
import { BARE, DeliveryScene, range, SENT } from './support/delivery-scene.js';
import type { Sink, SinkFailure } from './support/sink.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

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

describe('a partner that fails for a while', () => {
  const PASSING: [string, SinkFailure][] = [
    ['answers 500', { status: 500 }],
    ['answers 503 with Retry-After', { status: 503, headers: { 'retry-after': '20' } }],
    ['answers 429 with Retry-After', { status: 429, headers: { 'retry-after': '20' } }],
    ['resets the connection', 'reset'],
    ['answers garbage', 'garbage'],
    ['hangs', 'hang'],
    ['loses its answer', 'lost answer'],
  ];

  it.each(PASSING)('that %s: the delivery waits, then goes on from its cursor', async (_, failure) => {
    rig.hub.pacing.callTimeoutMs = failure === 'hang' ? 1500 : 60_000;
    const { audienceId, connectionId } = await scene.connected();
    const failed = scene.failing(failure, 2);
    await rig.wake(audienceId);
    expect(failed()).toBe(1);
    expect(await rig.delivery(connectionId)).toMatchObject({
      state: 'queued',
      failures: 1,
      accepted: 100,
      cursor: { operation: 'add', afterMpid: '100' },
    });
    await rig.sweepAfter(100);
    expect(failed()).toBe(1);
    await rig.sweepAfter(MINUTE_MS);
    expect(failed()).toBe(2);
    await rig.sweepAfter(MINUTE_MS);
    await scene.expectDelivered(connectionId, SENT, 1);
    expect(await rig.faults(connectionId)).toEqual([]);
    const keys = sink.batches.filter(({ mpids }) => mpids[0] === '101').map(({ key }) => key);
    expect([keys.length, new Set(keys).size]).toEqual([3, 1]);
  });

  it('waits as long as the partner asks', async () => {
    const { audienceId, connectionId } = await scene.connected();
    const failed = scene.failing({ status: 429, headers: { 'retry-after': '600' } }, 1);
    await rig.wake(audienceId);
    await rig.sweepAfter(9 * MINUTE_MS);
    expect(sink.batches.length).toBe(2);
    await rig.sweepAfter(MINUTE_MS + 1);
    expect(failed()).toBe(1);
    await scene.expectDelivered(connectionId, SENT, 1);
  });
});

describe('a partner that stays away', () => {
  /** Tries until the connection is faulted. */
  async function faulted(failure: SinkFailure) {
    const { audienceId, connectionId } = await scene.connected();
    scene.failing(failure, Number.POSITIVE_INFINITY);
    await rig.wake(audienceId);
    for (let sweep = 0; sweep < 30; sweep += 1) {
      if ((await rig.connection(connectionId)).status === 'faulted') break;
      await rig.sweepAfter(5 * MINUTE_MS);
    }
    const [fault, ...others] = await rig.faults(connectionId);
    expect(others).toEqual([]);
    if (!fault) throw new Error('There is no fault.');
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'faulted' });
    return { audienceId, connectionId, fault };
  }

  it('faults the connection after the last try, and is probed with one batch until it answers', async () => {
    const { connectionId, fault } = await faulted({ status: 500 });
    expect(fault).toMatchObject({
      kind: 'retryable',
      code: 'HTTP_500',
      detail: { attempts: 8, httpStatus: 500, firstFailureAt: expect.any(String) },
    });
    const before = sink.batches.length;
    await rig.sweepAfter(MINUTE_MS);
    expect(sink.batches.length).toBe(before);
    await rig.sweepAfter(6 * MINUTE_MS);
    expect(sink.batches.length).toBe(before + 1);
    expect(await rig.faults(connectionId)).toMatchObject([{ id: fault.id, probes: 1 }]);
    sink.failure = () => undefined;
    await rig.sweepAfter(HOUR_MS);
    await scene.expectDelivered(connectionId, SENT, 1);
    expect(await rig.faults(connectionId, false)).toMatchObject([{ id: fault.id, resolvedBy: 'probe' }]);
  });

  it('is resumed by an admin at any time, from where it stopped and with what changed meanwhile', async () => {
    const { audienceId, connectionId, fault } = await faulted({ status: 401 });
    expect(fault).toMatchObject({
      kind: 'auth',
      code: 'HTTP_401',
      nextProbeAt: null,
      detail: { attempts: 1 },
    });
    expect(JSON.stringify(fault)).not.toContain('shared-with-the-sink');
    await rig.publish(audienceId, range(11, 400), BARE);
    await rig.sweepAfter(24 * HOUR_MS);
    expect(sink.batches.length).toBe(2);
    sink.failure = () => undefined;
    await rig.hub.faults.resume(ADMIN, fault.id);
    await rig.work();
    await scene.expectDelivered(connectionId, [...range(11, 345), ...range(351, 400)], 2);
    expect(await rig.faults(connectionId, false)).toMatchObject([{ resolvedBy: 'the admin' }]);
    await expect(rig.hub.faults.resume(ADMIN, fault.id)).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: expect.stringMatching(/at 20\d\d-.* by the admin/),
    });
  });

  it('is a fault of a rate limit only after an hour', async () => {
    const { connectionId, fault } = await faulted({ status: 429, headers: { 'retry-after': '300' } });
    expect(fault.kind).toBe('rate_limited');
    expect(fault.raisedAt.getTime() - Date.parse(String(fault.detail.firstFailureAt))).toBeGreaterThan(
      50 * MINUTE_MS,
    );
    sink.failure = () => undefined;
    await rig.sweepAfter(HOUR_MS);
    await scene.expectDelivered(connectionId, SENT, 1);
  });

  it('stays paused where it was paused while faulted, until it is activated', async () => {
    const { connectionId, fault } = await faulted({ status: 403 });
    sink.failure = () => undefined;
    await rig.db.update(connections).set({ status: 'inactive' }).where(eq(connections.id, connectionId));
    await rig.hub.faults.resume(ADMIN, fault.id);
    await rig.sweepAfter(HOUR_MS);
    expect(await rig.connection(connectionId)).toMatchObject({ status: 'inactive', deliveredVersion: 0 });
    expect(sink.members.size).toBe(100);
  });
});
