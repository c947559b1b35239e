import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import { pendingMembers } from '../src/features/deliveries/delivery-jobs.js';
import { OutcomesService } from '../src/features/deliveries/outcomes.service.js';
import { DEFAULT_CALL_PACING } from '../src/host/outputs/index.js';
import { connections, deliveries, deliveryJobs } from '../src/platform/database/index.js';
import { ADMIN, DeliveryRig } from './support/delivery-rig.js';
import { BARE, range } from './support/delivery-scene.js';
import { JobPartner } from './support/job-partner.js';

const MINUTE_MS = 60_000;
const PAGE = { page: 1, pageSize: 100 };

const jobs = new JobPartner();
let rig: DeliveryRig;

beforeAll(async () => {
  rig = await DeliveryRig.start([jobs.connector]);
}, 60_000);
afterAll(() => rig?.stop());
beforeEach(() => {
  jobs.reset();
  Object.assign(rig.hub.pacing, DEFAULT_CALL_PACING);
});

const waiting = async (id: string) => (await pendingMembers(rig.db, [id])).get(id) ?? 0;
const sizes = () => jobs.given.map(({ mpids }) => mpids.length);
const held = () => [...jobs.members].map(Number).sort((one, other) => one - other);

/** Four batches: 100, 100, 100 and 45, and five members that cannot be sent. */
async function connectedToJobs() {
  const audienceId = await rig.audience();
  await rig.publish(audienceId, range(1, 350), BARE);
  const connectionId = await rig.connect(audienceId, await rig.output('job-partner', {}));
  return { audienceId, connectionId };
}

describe('a partner that takes batches as jobs', () => {
  it('is asked for a job again after the hub ended, and given no batch twice', async () => {
    jobs.ready = false;
    jobs.refusedRows.add('150');
    rig.hub.pacing.pollLimitMs = 20;
    const { audienceId, connectionId } = await connectedToJobs();
    await rig.wake(audienceId);
    const stopped = await rig.delivery(connectionId);
    expect(stopped).toMatchObject({ state: 'queued', failures: 0, error: null, leaseOwner: null });
    expect([await waiting(stopped.id), sizes()]).toEqual([100, [100]]);

    await rig.killed(connectionId);
    jobs.ready = true;
    rig.hub.pacing.pollLimitMs = MINUTE_MS;
    await rig.sweepAfter(MINUTE_MS);
    const delivery = await rig.delivery(connectionId);
    expect(delivery).toMatchObject({ planned: 350, accepted: 344, rejected: 1, skipped: 5 });
    expect(sizes()).toEqual([100, 100, 100, 45]);
    expect(jobs.members.size).toBe(344);
    expect(await waiting(delivery.id)).toBe(0);

    jobs.refusedRows.clear();
    await rig.publish(audienceId, range(1, 20));
    await rig.wake(audienceId);
    expect(await rig.delivery(connectionId)).toMatchObject({ planned: 330, accepted: 325, skipped: 5 });
    expect(held()).toEqual(range(1, 20));
  });

  it('has a job that failed as a whole taken apart, and the row that did it named', async () => {
    jobs.poison.add('177');
    const { audienceId, connectionId } = await connectedToJobs();
    await rig.wake(audienceId);
    const delivery = await rig.delivery(connectionId);
    expect(delivery).toMatchObject({ state: 'delivered', accepted: 344, rejected: 1, skipped: 5 });
    expect(jobs.given.length).toBeLessThanOrEqual(4 + 2 * Math.ceil(Math.log2(100)) + 1);
    const outcomes = new OutcomesService(rig.db);
    const rejected = await outcomes.list(delivery.id, { ...PAGE, status: 'rejected', operation: 'add' });
    expect(rejected).toMatchObject({ total: 1, items: [{ mpid: '177', count: 1, code: 'JOB_FAILED' }] });
    expect(await outcomes.list(delivery.id, { ...PAGE, operation: 'remove' })).toMatchObject({ total: 0 });
    expect(await waiting(delivery.id)).toBe(0);
  });
});

describe('jobs that take long', () => {
  it('hold no worker, are no failure, and those that fit are with the partner at once', async () => {
    Object.assign(jobs, { ready: false, pollAfterMs: 10 * MINUTE_MS, atOnce: 3 });
    const { audienceId, connectionId } = await connectedToJobs();
    await rig.wake(audienceId);
    const left = await rig.delivery(connectionId);
    expect(left).toMatchObject({ state: 'queued', failures: 0, error: null, leaseOwner: null, accepted: 0 });
    expect((left.notBefore?.getTime() ?? 0) - rig.clock.now().getTime()).toBe(10 * MINUTE_MS);
    expect([await waiting(left.id), sizes(), jobs.polled.length]).toEqual([300, [100, 100, 100], 0]);

    // Nobody asks before it is time.
    await rig.sweepAfter(9 * MINUTE_MS);
    expect(jobs.polled.length).toBe(0);
    // The second is slower: the first is written down, there is room for the fourth, and the third waits behind.
    jobs.ready = true;
    jobs.slow.add('job-2');
    await rig.sweepAfter(MINUTE_MS);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'queued', accepted: 100, skipped: 0 });
    expect([sizes(), await waiting(left.id)]).toEqual([[100, 100, 100, 45], 145]);

    await rig.killed(connectionId);
    jobs.slow.clear();
    await rig.sweepAfter(10 * MINUTE_MS);
    const delivery = await rig.delivery(connectionId);
    expect(delivery).toMatchObject({ state: 'delivered', planned: 350, accepted: 345, skipped: 5 });
    expect(sizes()).toEqual([100, 100, 100, 45]);
    expect(held()).toEqual(range(1, 345));
    expect(await rig.faults(connectionId)).toEqual([]);
  });

  it('are a fault once they are older than any can be', async () => {
    Object.assign(jobs, { ready: false, pollAfterMs: 10 * MINUTE_MS });
    const { audienceId, connectionId } = await connectedToJobs();
    await rig.wake(audienceId);
    rig.hub.pacing.jobLimitMs = 0;
    await rig.sweepAfter(10 * MINUTE_MS);
    expect(await rig.delivery(connectionId)).toMatchObject({
      state: 'queued',
      failures: 1,
      error: { kind: 'retryable', code: 'STILL_PENDING' },
    });
    for (let attempt = 1; attempt < 8; attempt += 1) await rig.sweepAfter(10 * MINUTE_MS);
    expect(await rig.faults(connectionId)).toMatchObject([{ code: 'STILL_PENDING' }]);
    expect(sizes()).toEqual([100]);

    // The probe hears that the partner is at work: that is no fault any more.
    rig.hub.pacing.jobLimitMs = DEFAULT_CALL_PACING.jobLimitMs;
    await rig.sweepAfter(60 * MINUTE_MS);
    expect(await rig.faults(connectionId)).toEqual([]);
    expect(await rig.connection(connectionId)).toMatchObject({ status: 'active' });
    jobs.ready = true;
    jobs.pollAfterMs = 1;
    await rig.sweepAfter(60 * MINUTE_MS);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered', accepted: 345 });
    expect(sizes()).toEqual([100, 100, 100, 45]);
  });
});

describe('a job that is still open when nothing else is left to send', () => {
  const HOUR_MS = 60 * MINUTE_MS;
  /** Nobody whom another test has sent. */
  let last = 1000;

  /** Two of three members are with the partner as a job, which takes long; the third has nothing that it accepts. */
  async function withOneJob() {
    jobs.ready = false;
    jobs.slow.add('job-1');
    rig.hub.pacing.pollLimitMs = 20;
    const audienceId = await rig.audience();
    const [first, bare] = [last + 1, last + 3];
    last += 10;
    await rig.publish(audienceId, range(first, bare), [bare]);
    const connectionId = await rig.connect(audienceId, await rig.output('job-partner', {}));
    await rig.wake(audienceId);
    const { id } = await rig.delivery(connectionId);
    expect([await waiting(id), sizes()]).toEqual([2, [2]]);
    jobs.ready = true;
    rig.hub.pacing.pollLimitMs = MINUTE_MS;
    return { audienceId, connectionId, id, first, bare };
  }
  async function givenUpWithOneJob() {
    const one = await withOneJob();
    await rig.db.update(deliveries).set({ state: 'cancelled' }).where(eq(deliveries.id, one.id));
    return one;
  }

  it('of a batch that is another one by now, is waited for before the delivery ends', async () => {
    const { connectionId, id, first, bare } = await withOneJob();
    await rig.teach(new Map([[bare, 'learned@example.com']]));
    await rig.sweepAfter(MINUTE_MS);
    // What was given as the first job is in the second one as well, and done.
    expect(sizes()).toEqual([2, 3]);
    expect(await rig.delivery(connectionId)).toMatchObject({ id, state: 'queued', accepted: 3, failures: 0 });
    expect(await waiting(id)).toBe(2);

    jobs.slow.clear();
    await rig.sweepAfter(MINUTE_MS);
    const [delivery] = await rig.db.select().from(deliveries).where(eq(deliveries.id, id));
    expect(delivery).toMatchObject({ state: 'delivered', accepted: 3 });
    // What somebody learned goes out by a delivery of its own, too.
    expect([await waiting(id), sizes(), held()]).toEqual([0, [2, 3, 1], range(first, bare)]);
  });

  it('of a batch of a removal that is another one by now, is waited for before the removal ends', async () => {
    const { connectionId, first, bare } = await withOneJob();
    jobs.slow.clear();
    await rig.sweepAfter(MINUTE_MS);
    expect([sizes(), held()]).toEqual([[2], [first, first + 1]]);

    jobs.slow.add('job-2');
    rig.hub.pacing.pollLimitMs = 20;
    const which = eq(connections.id, connectionId);
    const { deletion } = rig.hub.removals;
    const foreseen = await deletion.foresee(which, ADMIN.name);
    await rig.db.transaction((tx) => deletion.begin(tx, which, foreseen, ADMIN.name));
    await rig.sweepAfter(MINUTE_MS);
    expect(sizes()).toEqual([2, 2]);
    rig.hub.pacing.pollLimitMs = MINUTE_MS;
    await rig.teach(new Map([[bare, 'learned-too@example.com']]));
    await rig.sweepAfter(MINUTE_MS);
    expect([sizes(), held()]).toEqual([[2, 2, 3], []]);
    expect(await rig.connection(connectionId)).toMatchObject({ status: 'removing' });

    jobs.slow.clear();
    await rig.sweepAfter(MINUTE_MS);
    expect(await rig.connection(connectionId)).toMatchObject({ status: 'removed' });
    expect(jobs.polled.at(-1)).toBe('job-2');
  });

  it('of a delivery that was given up, is waited for before the next one sends anything', async () => {
    const { audienceId, connectionId, id, first } = await givenUpWithOneJob();
    await rig.publish(audienceId, [first + 1, first + 5]);
    await rig.wake(audienceId);
    expect([(await rig.delivery(connectionId)).state, sizes()]).toEqual(['queued', [2]]);

    jobs.slow.clear();
    await rig.sweepAfter(MINUTE_MS);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered', toVersion: 2, accepted: 2 });
    expect([await waiting(id), sizes()]).toEqual([0, [2, 2]]);
  });

  it('is not waited for longer than an hour', async () => {
    const { audienceId, connectionId, id, first } = await givenUpWithOneJob();
    await rig.db
      .update(deliveryJobs)
      .set({ createdAt: sql`${deliveryJobs.createdAt} - interval '61 minutes'` });
    const polls = jobs.polled.length;
    await rig.publish(audienceId, [first + 1, first + 5]);
    await rig.wake(audienceId);
    await rig.sweepAfter(HOUR_MS);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered', toVersion: 2 });
    expect([await waiting(id), jobs.polled.length - polls, sizes()]).toEqual([0, 1, [2, 2]]);
  });

  it('and that the partner refused is over', async () => {
    const { audienceId, connectionId, id, first } = await givenUpWithOneJob();
    jobs.slow.clear();
    jobs.poison.add(String(first));
    await rig.publish(audienceId, [first + 1, first + 5]);
    await rig.wake(audienceId);
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered', toVersion: 2 });
    expect(await waiting(id)).toBe(0);
  });
});

describe('a job that came to nothing', () => {
  it('stops the connection with its reason, and after Resume the batch is given anew', async () => {
    jobs.failing = 1;
    const { audienceId, connectionId } = await connectedToJobs();
    await rig.wake(audienceId);
    const [fault] = await rig.faults(connectionId);
    expect(fault).toMatchObject({ kind: 'config', code: 'NO_CONSENT', message: 'Consent is missing.' });
    expect([jobs.members.size, sizes()]).toEqual([0, [100]]);

    await rig.hub.faults.resume(ADMIN, fault?.id ?? '');
    await rig.work();
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'delivered', accepted: 345 });
    expect(sizes()).toEqual([100, 100, 100, 100, 45]);
    expect(new Set(jobs.given.map(({ id }) => id)).size).toBe(4);
    expect(held()).toEqual(range(1, 345));
  });
});

describe('members whom a partner refuses without saying who', () => {
  it('are counted as rejected, and shown as how many', async () => {
    jobs.refusedUnnamed = 7;
    jobs.refusedRows.add('150');
    const { audienceId, connectionId } = await connectedToJobs();
    await rig.wake(audienceId);
    const delivery = await rig.delivery(connectionId);
    expect(delivery).toMatchObject({
      state: 'delivered',
      planned: 350,
      accepted: 316,
      rejected: 29,
      skipped: 5,
    });
    const outcomes = new OutcomesService(rig.db);
    const { items } = await outcomes.list(delivery.id, { ...PAGE, status: 'rejected' });
    expect(items.map(({ mpid, count, code }) => [mpid, count, code])).toEqual([
      [null, 7, 'DENIED'],
      ['150', 1, 'UNKNOWN_PERSON'],
      ...[7, 7, 7].map((count) => [null, count, 'DENIED']),
    ]);
    const inFile = [];
    for await (const row of outcomes.all(delivery.id, { status: 'rejected' })) inFile.push(row);
    expect(inFile).toEqual(items);
  });

  it('are named where it is everybody that is left', async () => {
    jobs.refusedUnnamed = 44;
    const audienceId = await rig.audience();
    await rig.publish(audienceId, range(1, 45));
    jobs.refusedRows.add('1');
    const connectionId = await rig.connect(audienceId, await rig.output('job-partner', {}));
    await rig.wake(audienceId);
    const delivery = await rig.delivery(connectionId);
    expect(delivery).toMatchObject({ state: 'delivered', accepted: 0, rejected: 45 });
    const { items } = await new OutcomesService(rig.db).list(delivery.id, PAGE);
    expect(items.map(({ mpid, count }) => [Number(mpid), count])).toEqual(
      range(1, 45).map((mpid) => [mpid, 1]),
    );
  });
});
