import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { ACCOUNT, FakeMeta, refusal } from '../plugins/meta-custom-audiences/fake-meta.js';
import { PartnerServer } from '../src/kit/testing/index.js';
import { connections, deliveryBatches } from '../src/platform/database/index.js';
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

  describe('over several versions', () => {
    /** Version 1 is there; the partner fails at version 2 (351 to 360 come) until 3 is out (351 to 355 leave, 361 comes). */
    async function outage(failure: SinkFailure) {
      const { audienceId, connectionId } = await scene.connected();
      await rig.wake(audienceId);
      const before = sink.batches.length;
      sink.failure = () => failure;
      await rig.publish(audienceId, range(1, 360), BARE);
      await rig.wake(audienceId);
      await rig.publish(audienceId, [...range(1, 350), ...range(356, 361)], BARE);
      sink.failure = () => undefined;
      await rig.sweepAfter(HOUR_MS);
      for (const { id } of await rig.faults(connectionId)) await rig.hub.faults.resume(ADMIN, id);
      await rig.work();
      const delivery = await scene.expectDelivered(connectionId, [...SENT, ...range(356, 361)], 3);
      return { delivery, sent: sink.batches.slice(before + 1).map(({ mpids }) => mpids.map(Number)) };
    }

    it.each<[string, SinkFailure]>([
      ['refuses the credentials', { status: 401 }],
      ['answers 429', { status: 429 }],
    ])('that %s gets the net change once: who came and left again is never sent', async (_, failure) => {
      const { delivery, sent } = await outage(failure);
      expect(sent).toEqual([range(356, 361)]);
      expect(delivery).toMatchObject({ fromVersion: 1, planned: 6, accepted: 6 });
    });

    it.each<[string, SinkFailure]>([
      ['answers 500', { status: 500 }],
      ['loses its answer', 'lost answer'],
    ])('that %s may have taken it: that is ended first, and nobody stays who left', async (_, failure) => {
      const { sent } = await outage(failure);
      expect(sent).toEqual([range(351, 360), [361], range(351, 355)]);
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

describe('a list that was deleted at the partner', () => {
  it('is made anew by Resume, and gets everybody once, also after a SIGKILL', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await rig.publish(audienceId, range(11, 360), BARE);
    sink.failure = (_, event) => (event === 'audience.members' ? { status: 410 } : undefined);
    await rig.wake(audienceId);
    const [fault] = await rig.faults(connectionId);
    expect(fault).toMatchObject({ kind: 'config', code: 'LIST_GONE' });
    expect(await rig.connection(connectionId)).toMatchObject({ status: 'faulted', deliveredVersion: 1 });

    sink.members.clear();
    const before = sink.batches.length;
    sink.failure = (batch) => (batch === before + 2 ? 'lost answer' : undefined);
    await rig.hub.faults.resume(ADMIN, fault?.id ?? '');
    await rig.work();
    sink.failure = () => undefined;
    await rig.killed(connectionId);
    await rig.sweepAfter(MINUTE_MS);
    const delivery = await scene.expectDelivered(connectionId, [...range(11, 345), ...range(351, 360)], 2);
    expect(delivery).toMatchObject({ fromVersion: 0, planned: 350, accepted: 345, skipped: 5 });
    expect([...sink.created.keys()]).toEqual([connectionId, `${connectionId}-1`]);
    expect(await rig.faults(connectionId)).toEqual([]);
  });
});

describe('a partner that takes a whole state in one go', () => {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');

  it('gets it from the start again after an interruption, in a session of its own, and then has it once', async () => {
    const partner = new FakeMeta();
    const server = await PartnerServer.start(partner);
    try {
      const audienceId = await rig.audience();
      await rig.publish(audienceId, range(1, 6000), [6000]);
      const settings = {
        adAccountId: ACCOUNT,
        endpoint: server.url,
        mode: 'replace',
        identifiers: ['email'],
      };
      const output = await rig.output('meta-custom-audiences', settings, { accessToken: 'token' });
      const connectionId = await rig.connect(audienceId, output);
      server.failure = (request) =>
        request.body.includes('"batch_seq":2')
          ? refusal(500, 2, undefined, 'later')
          : partner.answer(request);
      await rig.wake(audienceId);
      expect(await rig.delivery(connectionId)).toMatchObject({ state: 'queued', accepted: 2500 });
      server.failure = undefined;
      await rig.sweepAfter(MINUTE_MS);
      const delivery = await rig.delivery(connectionId);
      expect(delivery).toMatchObject({ state: 'delivered', planned: 6000, accepted: 5999, skipped: 1 });
      const sessions = server.requests
        .filter(({ url }) => url.endsWith('/usersreplace'))
        .map(
          ({ body }) => (JSON.parse(body) as { session: { session_id: string; batch_seq: number } }).session,
        );
      expect(sessions.map(({ batch_seq: place }) => place)).toEqual([1, 2, 1, 2, 3, 4]);
      expect(new Set(sessions.map(({ session_id: session }) => session)).size).toBe(2);
      const [list] = partner.audiences.values();
      expect(list?.rows).toEqual(new Set(range(1, 5999).map((mpid) => hash(`p${mpid}@example.com`))));
      const batches = await rig.db
        .select()
        .from(deliveryBatches)
        .where(eq(deliveryBatches.deliveryId, delivery.id));
      expect(batches.reduce((sum, batch) => sum + batch.accepted, 0)).toBe(5999);
    } finally {
      await server.stop();
    }
  });
});
