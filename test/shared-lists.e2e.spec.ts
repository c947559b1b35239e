import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { and, eq } from 'drizzle-orm';
import * as fc from 'fast-check';
import { deliveries, deliveryBatches } from '../src/platform/database/index.js';
import { ADMIN, DeliveryRig } from './support/delivery-rig.js';
import { JobPartner } from './support/job-partner.js';
import { MemoryPartner, oneListOf } from './support/one-list.js';

const partner = new MemoryPartner();
const jobs = new JobPartner();
let rig: DeliveryRig;
beforeAll(async () => {
  rig = await DeliveryRig.start([oneListOf(partner), jobs.connector]);
}, 120_000);
afterAll(() => rig?.stop());
beforeEach(() => {
  partner.reset();
  jobs.reset();
});

/** Two audiences that are connected to one list. */
async function twoOfOneList() {
  const outputId = await rig.output('one-list', { list: randomUUID() });
  const make = async (name: string) => {
    const audienceId = await rig.audience(name);
    return { audienceId, id: await rig.connect(audienceId, outputId) };
  };
  return [await make('One'), await make('Other')] as const;
}
type Side = Awaited<ReturnType<typeof twoOfOneList>>[number];

async function deliver({ audienceId }: Side, members: Iterable<number>): Promise<void> {
  await rig.publish(audienceId, members);
  await rig.wake(audienceId);
}

async function resume({ id }: Side): Promise<void> {
  for (const fault of await rig.faults(id)) await rig.hub.faults.resume(ADMIN, fault.id);
  await rig.sweepAfter(60_000);
}

async function skippedOf({ id }: Side) {
  const delivery = await rig.delivery(id);
  const rows = await rig.db
    .select()
    .from(deliveryBatches)
    .where(and(eq(deliveryBatches.deliveryId, delivery.id), eq(deliveryBatches.operation, 'remove')));
  const skipped = rows.flatMap(({ exceptions }) => exceptions.map(({ mpid, code }) => [Number(mpid), code]));
  const { state, planned, accepted, rejected } = delivery;
  return { state, planned, accepted, rejected, skipped };
}

const there = () => [...partner.members].sort((a, b) => a - b);

describe('who leaves a list that another connection has them in', () => {
  it('stays there, is skipped with the reason, and goes when the last one drops them', async () => {
    const [one, other] = await twoOfOneList();
    await deliver(one, [1, 2, 3, 4, 5]);
    await deliver(other, [4, 5, 6]);
    await deliver(one, [1]);
    expect(there()).toEqual([1, 4, 5, 6]);
    expect(await skippedOf(one)).toEqual({
      state: 'delivered',
      planned: 4,
      accepted: 2,
      rejected: 0,
      skipped: [
        [4, 'SHARED_LIST'],
        [5, 'SHARED_LIST'],
      ],
    });
    await deliver(other, [5]);
    expect(there()).toEqual([1, 5]);
    expect(await skippedOf(other)).toMatchObject({ planned: 2, accepted: 2, skipped: [] });
  });

  it('goes although the first delivery that dropped them is not through yet', async () => {
    const [one, other] = await twoOfOneList();
    await deliver(one, [1, 2, 3, 4, 5, 6, 7]);
    await deliver(other, [1, 2, 7]);
    partner.budget = 1;
    // 1 and 2 were skipped with the first batch; the second is refused.
    await deliver(one, []);
    expect((await rig.connection(one.id)).status).toBe('faulted');
    partner.budget = Number.POSITIVE_INFINITY;
    await deliver(other, [7]);
    expect(there()).toEqual([4, 5, 6, 7]);
    await resume(one);
    expect(there()).toEqual([7]);
  });

  it('stays where the other connection may have sent them by a delivery that is not through', async () => {
    const [one, other] = await twoOfOneList();
    await deliver(one, [1, 2, 3, 4]);
    await deliver(other, [9]);
    partner.budget = 1;
    await deliver(other, [1, 2, 3, 4, 9]);
    partner.budget = Number.POSITIVE_INFINITY;
    await deliver(one, []);
    expect(there()).toEqual([1, 2, 3, 4, 9]);
    await resume(other);
    expect(there()).toEqual([1, 2, 3, 4, 9]);
  });

  it('is brought back where the other connection gets them after that', async () => {
    const [one, other] = await twoOfOneList();
    await deliver(one, [1, 2]);
    await deliver(other, [3]);
    await rig.publish(other.audienceId, [1, 3]);
    await deliver(one, []);
    await rig.wake(other.audienceId);
    expect(there()).toEqual([1, 3]);
  });
});

describe('deliveries to one list', () => {
  it('go one after the other, so that none takes out whom the other is about to bring', async () => {
    const [one, other] = await twoOfOneList();
    await deliver(one, [1, 2, 3]);
    await deliver(other, [9]);
    await rig.publish(one.audienceId, [3]);
    await rig.publish(other.audienceId, [1, 9]);
    let calls = 0;
    partner.meanwhile = async () => {
      calls += 1;
      if (calls > 1) return;
      // Another process takes up the other delivery while the first one removes.
      await rig.hub.planner.wakeConnection(other.id);
      await rig.hub.runner.run((await rig.delivery(other.id)).id, new AbortController().signal);
      expect((await rig.delivery(other.id)).state).toBe('queued');
    };
    await rig.hub.planner.wakeConnection(one.id);
    await rig.work();
    expect([calls, there()]).toEqual([1, [3, 9]]);
    await rig.sweepAfter(10_000);
    expect(there()).toEqual([1, 3, 9]);
  });

  it('go side by side where neither takes anybody out', async () => {
    const [one, other] = await twoOfOneList();
    await rig.publish(one.audienceId, [1]);
    await rig.publish(other.audienceId, [2]);
    let calls = 0;
    partner.meanwhile = async () => {
      calls += 1;
      if (calls === 1) await rig.wake(other.audienceId);
    };
    await rig.wake(one.audienceId);
    expect([calls, there()]).toEqual([2, [1, 2]]);
  });

  it('wait for jobs of each other', async () => {
    const outputId = await rig.output('job-partner', {});
    // Without lists of its own at the partner, the name is the list.
    const [one, other] = [await rig.audience('Same'), await rig.audience('Same')];
    const [oneId, otherId] = [await rig.connect(one, outputId), await rig.connect(other, outputId)];
    await rig.publish(one, [1, 2]);
    await rig.wake(one);
    await rig.publish(other, [9]);
    await rig.wake(other);
    await rig.publish(one, [2]);
    Object.assign(jobs, { ready: false, pollAfterMs: 600_000 });
    await rig.wake(one);
    expect((await rig.delivery(oneId)).state).toBe('queued');
    const given = jobs.given.length;
    await rig.publish(other, [1, 9]);
    await rig.wake(other);
    expect((await rig.delivery(otherId)).state).toBe('queued');
    expect(jobs.given.length).toBe(given);
    Object.assign(jobs, { ready: true, pollAfterMs: 1 });
    await rig.sweepAfter(700_000);
    await rig.sweepAfter(60_000);
    expect([...jobs.members].map(Number).sort((a, b) => a - b)).toEqual([1, 2, 9]);
    expect((await rig.delivery(otherId)).state).toBe('delivered');
  });

  const anySet = fc.uniqueArray(fc.integer({ min: 1, max: 14 }), { maxLength: 10 });
  const anyStep = fc.record({
    side: fc.constantFrom(0, 1),
    members: anySet,
    /** Whether it is delivered at once, or catches up later. */
    isWoken: fc.boolean(),
    budget: fc.constantFrom(0, 1, 2, Number.POSITIVE_INFINITY),
    isKilled: fc.boolean(),
  });

  it('leave at the partner whom one of the two has, whatever came between, and balance', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 2, maxLength: 9 }), async (steps) => {
        partner.reset();
        const sides = await twoOfOneList();
        const last: number[][] = [[], []];
        for (const { side, members, isWoken, budget, isKilled } of steps) {
          const own = side === 0 ? sides[0] : sides[1];
          partner.budget = budget;
          await rig.publish(own.audienceId, members);
          last[side] = members;
          if (isWoken) await rig.wake(own.audienceId);
          if (isKilled) await rig.killed(own.id);
          partner.budget = Number.POSITIVE_INFINITY;
          if (isWoken && isKilled) await resume(own);
        }
        for (const side of [...sides, ...sides]) await resume(side);
        expect(there()).toEqual([...new Set(last.flat())].sort((a, b) => a - b));
        const rows = await rig.db.select().from(deliveries).where(eq(deliveries.state, 'delivered'));
        for (const { planned, accepted, rejected, skipped } of rows)
          expect(planned).toBe(accepted + rejected + skipped);
      }),
      { numRuns: 8 },
    );
  }, 120_000);
});
