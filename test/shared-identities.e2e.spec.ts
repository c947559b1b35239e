import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { and, eq } from 'drizzle-orm';
import * as fc from 'fast-check';
import { z } from 'zod';
import { defineOutput, fault, type Batch, type BatchResult } from '../src/kit/index.js';
import { connections, deliveries, deliveryBatches } from '../src/platform/database/index.js';
import { ADMIN, DeliveryRig } from './support/delivery-rig.js';

/** A list at a partner that knows hashes and nobody else. After `budget` batches its credentials are refused. */
const partner = { hashes: new Set<string>(), budget: Number.POSITIVE_INFINITY, batches: 0 };

function take(operation: 'add' | 'remove', { members }: Batch<'email' | 'phone'>): Promise<BatchResult> {
  partner.batches += 1;
  if (partner.budget <= 0) return Promise.reject(fault.auth('TOKEN_REVOKED', 'The token was revoked.'));
  partner.budget -= 1;
  for (const value of members.flatMap(({ identities: { email = [], phone = [] } }) => [...email, ...phone])) {
    if (operation === 'add') partner.hashes.add(value);
    else partner.hashes.delete(value);
  }
  return Promise.resolve({ status: 'done', rejected: [] });
}

const settings = z.object({
  list: z.string(),
  knownBy: z.enum(['mpid', 'identities']).default('identities'),
});
const hashList = defineOutput({
  id: 'hash-list',
  name: 'Hash list',
  description: 'For specs: keeps one list of hashes in memory.',
  version: '1.0.0',
  settings,
  credentials: z.object({}),
  connectionSettings: z.object({}),
  identities: [
    { type: 'email', encoding: 'sha256', profile: 'google@2025-06' },
    { type: 'phone', encoding: 'raw' },
  ],
  limits: { batchSize: 3 },
  knownBy: (given) => given.knownBy,
  check: () => Promise.resolve(),
  audience: {
    create: (ctx) => Promise.resolve({ externalId: ctx.settings.list }),
    add: (_, __, batch) => take('add', batch),
    remove: (_, __, batch) => take('remove', batch),
  },
});

/** Three people each have one mailbox, written in three ways. */
const MAILBOXES = 5;
const PEOPLE = Array.from({ length: 3 * MAILBOXES }, (_, index) => index + 1);
const mailboxOf = (person: number) => person % MAILBOXES;
const addressOf = (person: number) =>
  `${['ada.love', 'a.da.love', 'ad.alove'][Math.floor((person - 1) / MAILBOXES)]}${mailboxOf(person)}@gmail.com`;
const hashOf = (person: number) =>
  createHash('sha256')
    .update(`adalove${mailboxOf(person)}@gmail.com`)
    .digest('hex');
/** One of them has a phone besides. */
const PHONE = '+12025550147';

let rig: DeliveryRig;
beforeAll(async () => {
  rig = await DeliveryRig.start([hashList]);
  await rig.teach(new Map(PEOPLE.map((person) => [person, addressOf(person)])));
  await rig.teachPhone(1, PHONE);
}, 120_000);
afterAll(() => rig?.stop());
beforeEach(() => {
  partner.hashes.clear();
  Object.assign(partner, { budget: Number.POSITIVE_INFINITY, batches: 0 });
});

const hashesOf = (people: readonly number[]) =>
  [...new Set([...people.map(hashOf), ...(people.includes(1) ? [PHONE] : [])])].sort();
const there = () => [...partner.hashes].sort();

async function connected(outputId: string) {
  const audienceId = await rig.audience();
  return { audienceId, id: await rig.connect(audienceId, outputId) };
}
type Side = Awaited<ReturnType<typeof connected>>;

async function deliver({ audienceId }: Side, people: readonly number[]): Promise<void> {
  await rig.publish(audienceId, people, PEOPLE);
  await rig.wake(audienceId);
}

async function resume({ id }: Side): Promise<void> {
  for (const { id: faultId } of await rig.faults(id)) await rig.hub.faults.resume(ADMIN, faultId);
  await rig.sweepAfter(60_000);
}

async function remove({ id }: Side): Promise<void> {
  const { deletion } = rig.hub.removals;
  const which = eq(connections.id, id);
  const foreseen = await deletion.foresee(which, 'the admin');
  await deletion.wake(await rig.db.transaction((tx) => deletion.begin(tx, which, foreseen, 'the admin')));
  await rig.work();
}

async function outcomesOf({ id }: Side) {
  const { id: deliveryId, state, planned, accepted, skipped } = await rig.delivery(id);
  const rows = await rig.db
    .select()
    .from(deliveryBatches)
    .where(and(eq(deliveryBatches.deliveryId, deliveryId), eq(deliveryBatches.operation, 'remove')));
  const why = rows.flatMap(({ exceptions }) => exceptions.map(({ mpid, code }) => [Number(mpid), code]));
  return { state, planned, accepted, skipped, why };
}

describe('a partner that knows people by what is sent of them', () => {
  const one = (knownBy = 'identities') => rig.output('hash-list', { list: randomUUID(), knownBy });

  it('keeps the value of who leaves where somebody who stays or comes has it too', async () => {
    const side = await connected(await one());
    await deliver(side, [1, 6, 2, 3]);
    // 6 stays with the mailbox of 1, 7 comes with that of 2, and nobody has that of 3.
    await deliver(side, [6, 7]);
    expect(there()).toEqual(hashesOf([6, 7]));
    expect(await outcomesOf(side)).toEqual({
      state: 'delivered',
      planned: 4,
      accepted: 3,
      skipped: 1,
      why: [[2, 'SHARED_IDENTITY']],
    });
    await deliver(side, [7]);
    expect(there()).toEqual(hashesOf([7]));
  });

  it('keeps it where another connection to the same list has it, also when the connection is deleted', async () => {
    const outputId = await one();
    const [own, other] = [await connected(outputId), await connected(outputId)];
    await deliver(own, [1, 2, 3]);
    await deliver(other, [6, 8]);
    await deliver(own, [2, 3]);
    expect(there()).toEqual(hashesOf([6, 2, 3]));
    await remove(own);
    expect((await rig.connection(own.id)).status).toBe('removed');
    expect(there()).toEqual(hashesOf([6, 8]));
    expect((await outcomesOf(own)).why).toEqual([[3, 'SHARED_IDENTITY']]);
  });

  it('is told of everybody who leaves where it knows them by their numbers', async () => {
    const side = await connected(await one('mpid'));
    await deliver(side, [1, 6]);
    await deliver(side, [6]);
    expect(there()).toEqual([]);
    expect((await outcomesOf(side)).why).toEqual([]);
  });

  const anyStep = fc.record({
    side: fc.constantFrom(0, 1),
    people: fc.subarray(PEOPLE),
    budget: fc.constantFrom(0, 1, 2, Number.POSITIVE_INFINITY),
    isKilled: fc.boolean(),
  });

  it('has the values of the audiences after any deliveries, whatever came between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 2, maxLength: 8 }), async (steps) => {
        partner.hashes.clear();
        const outputId = await one();
        const sides = [await connected(outputId), await connected(outputId)] as const;
        const last: number[][] = [[], []];
        for (const { side, people, budget, isKilled } of steps) {
          const own = side === 0 ? sides[0] : sides[1];
          partner.budget = budget;
          await deliver(own, people);
          last[side] = people;
          if (isKilled) await rig.killed(own.id);
          partner.budget = Number.POSITIVE_INFINITY;
          if (isKilled) await resume(own);
        }
        for (const side of [...sides, ...sides]) await resume(side);
        expect(there()).toEqual(hashesOf(last.flat()));
        const rows = await rig.db.select().from(deliveries).where(eq(deliveries.state, 'delivered'));
        for (const { planned, accepted, rejected, skipped } of rows)
          expect(planned).toBe(accepted + rejected + skipped);
      }),
      { numRuns: 8 },
    );
  }, 120_000);
});
