import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import * as fc from 'fast-check';
import { defineOutput } from '../src/kit/index.js';
import { connections } from '../src/platform/database/index.js';
import { ADMIN, DeliveryRig } from './support/delivery-rig.js';
import { MEMORY_BASE, MemoryPartner, oneListOf } from './support/one-list.js';

const partner = new MemoryPartner();
const addsOnly = defineOutput({
  ...MEMORY_BASE,
  id: 'adds-only',
  audience: { add: (_, __, batch) => partner.take('add', batch) },
});

let rig: DeliveryRig;
beforeAll(async () => {
  rig = await DeliveryRig.start([oneListOf(partner), addsOnly]);
}, 120_000);
afterAll(() => rig?.stop());
beforeEach(() => partner.reset());

async function remove(connectionId: string): Promise<void> {
  const { deletion } = rig.hub.removals;
  const which = eq(connections.id, connectionId);
  const foreseen = await deletion.foresee(which, 'the admin');
  const begun = await rig.db.transaction((tx) => deletion.begin(tx, which, foreseen, 'the admin'));
  await deletion.wake(begun);
  await rig.work();
}

const statusOf = async (id: string) =>
  (await rig.db.select().from(connections).where(eq(connections.id, id)))[0]?.status;
const resumeAll = async (connectionId: string) => {
  for (const { id } of await rig.faults(connectionId)) await rig.hub.faults.resume(ADMIN, id);
  await rig.sweepAfter(60_000);
};
const ended = async (connectionId: string) => {
  for (let tries = 0; tries < 5 && (await statusOf(connectionId)) === 'removing'; tries += 1) {
    await resumeAll(connectionId);
  }
  // Undefined: nothing had been sent, and it was gone at once.
  expect(['removed', undefined]).toContain(await statusOf(connectionId));
};
const sorted = (members: Iterable<number>) => [...members].sort((a, b) => a - b);

describe('a partner that can neither remove nor delete', () => {
  it('keeps everybody, which the connection says', async () => {
    const audienceId = await rig.audience('Stays');
    await rig.publish(audienceId, [1, 2, 3, 4]);
    const id = await rig.connect(audienceId, await rig.output('adds-only', { list: 'none' }));
    await rig.wake(audienceId);
    await remove(id);
    expect(await rig.connection(id)).toMatchObject({
      status: 'removed',
      removal: {
        outcome: 'stays',
        plan: { members: 'stay', list: 'kept', because: 'cannot_remove' },
        stays: [expect.stringContaining('Everybody who was sent')],
      },
    });
    expect(sorted(partner.members)).toEqual([1, 2, 3, 4]);
  });
});

describe('a removal', () => {
  const anySet = fc.uniqueArray(fc.integer({ min: 1, max: 18 }), { minLength: 1, maxLength: 14 });
  const anyBudget = fc.constantFrom(0, 1, 2, 3, Number.POSITIVE_INFINITY);

  it('leaves whom another connection has in the list, and nobody else, however both were interrupted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anySet, { minLength: 1, maxLength: 3 }),
        fc.array(anySet, { minLength: 1, maxLength: 2 }),
        fc.array(anyBudget, { minLength: 6, maxLength: 6 }),
        fc.boolean(),
        async (ownStates, otherStates, budgets, isKilled) => {
          partner.members.clear();
          const outputId = await rig.output('one-list', { list: randomUUID() });
          const [own, other] = [await rig.audience('Own'), await rig.audience('Other')];
          const [ownId, otherId] = [await rig.connect(own, outputId), await rig.connect(other, outputId)];
          const budget = () => (partner.budget = budgets.shift() ?? Number.POSITIVE_INFINITY);
          for (const state of otherStates) {
            await rig.publish(other, state);
            budget();
            await rig.wake(other);
          }
          for (const state of ownStates) {
            await rig.publish(own, state);
            budget();
            await rig.wake(own);
          }
          if (isKilled) await rig.killed(ownId);
          budget();
          await remove(ownId);
          partner.budget = Number.POSITIVE_INFINITY;
          await ended(ownId);
          await resumeAll(otherId);
          expect((await rig.connection(otherId)).status).toBe('active');
          expect(sorted(partner.members)).toEqual(sorted(otherStates.at(-1) ?? []));
          await remove(otherId);
          await ended(otherId);
          expect(sorted(partner.members)).toEqual([]);
        },
      ),
      { numRuns: 6 },
    );
  });
});
