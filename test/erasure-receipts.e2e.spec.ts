import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { defineOutput } from '../src/kit/index.js';
import { abTests, abVariants, deliveries } from '../src/platform/database/index.js';
import { ADMIN, DeliveryRig } from './support/delivery-rig.js';
import { ErasureRig } from './support/erasure-rig.js';
import { MEMORY_BASE, MemoryPartner, oneListOf } from './support/one-list.js';

const partner = new MemoryPartner();
/** What it knows people by; everybody here has an address of one of two mailboxes. */
const hashes = new Set<string>();
const hashed = defineOutput({
  ...MEMORY_BASE,
  id: 'hashed',
  identities: [{ type: 'email', encoding: 'sha256', profile: 'google@2025-06' }],
  knownBy: () => 'identities',
  audience: {
    create: (ctx) => Promise.resolve({ externalId: ctx.settings.list }),
    add: (_, __, { members }) => {
      for (const value of members.flatMap(({ identities }) => identities.email ?? [])) hashes.add(value);
      return Promise.resolve({ status: 'done', rejected: [] });
    },
    remove: (_, __, { members }) => {
      for (const value of members.flatMap(({ identities }) => identities.email ?? [])) hashes.delete(value);
      return Promise.resolve({ status: 'done', rejected: [] });
    },
  },
});

let rig: DeliveryRig;
let erasing: ErasureRig;
beforeAll(async () => {
  rig = await DeliveryRig.start([oneListOf(partner), hashed]);
  erasing = new ErasureRig(rig);
}, 120_000);
afterAll(() => rig?.stop());
beforeEach(() => {
  partner.reset();
  hashes.clear();
});

/** An audience of these members that its partner has. */
async function delivered(outputId: string, members: readonly number[], bare: readonly number[] = []) {
  const audienceId = await rig.audience();
  const id = await rig.connect(audienceId, outputId);
  await rig.publish(audienceId, members, bare);
  await rig.wake(audienceId);
  return { audienceId, id };
}

const list = () => rig.output('one-list', { list: randomUUID() });
const there = () => [...partner.members].sort((a, b) => a - b);
const ANSWERED = { state: 'answered', sent: 1, accepted: 1, rejected: 0, notSent: 0, code: null };
const KEPT = { state: 'answered', sent: 1, accepted: 0, rejected: 0, notSent: 1 };
const NOT_THERE = { state: 'not_sent', code: 'NOT_AT_PARTNER' };

describe('the receipt of somebody who is erased', () => {
  it('says that another connection has them in the same list, whose receipt says when they were taken out', async () => {
    const outputId = await list();
    const one = await delivered(outputId, [101, 102, 103]);
    const other = await delivered(outputId, [102, 103]);
    await erasing.setStatus(other.id, 'inactive');
    const id = await erasing.ask([102]);
    await erasing.run(id);
    await rig.work();
    await erasing.run(id);
    expect(there()).toEqual([101, 102, 103]);
    expect(await erasing.receipt(id, one.id)).toEqual({ ...KEPT, code: 'SHARED_LIST' });
    expect(await erasing.receipt(id, other.id)).toMatchObject({
      state: 'waiting',
      code: 'CONNECTION_INACTIVE',
    });
    // The other connection has to be able to say who is meant.
    expect(await erasing.known([102])).toBe(1);
    await erasing.setStatus(other.id, 'active');
    await erasing.run(id);
    expect(there()).toEqual([101, 103]);
    expect(await erasing.receipt(id, one.id)).toEqual({ ...KEPT, code: 'SHARED_LIST' });
    expect(await erasing.receipt(id, other.id)).toEqual(ANSWERED);
    expect(await erasing.row(id)).toMatchObject({ state: 'done' });
    expect(await erasing.known([102, 103])).toBe(1);
  });

  it('says that somebody who stays has the same value at the partner, which keeps it for them', async () => {
    // Two spellings of one mailbox, as the partner sees them, and another mailbox.
    const addresses = new Map([
      [201, 'ada.l@gmail.com'],
      [202, 'adal@gmail.com'],
      [203, 'bob@gmail.com'],
    ]);
    await rig.teach(addresses);
    const people = [...addresses.keys()];
    const { id: connectionId } = await delivered(
      await rig.output('hashed', { list: randomUUID() }),
      people,
      people,
    );
    const shared = createHash('sha256').update('adal@gmail.com').digest('hex');
    expect([hashes.size, hashes.has(shared)]).toEqual([2, true]);
    const id = await erasing.ask([201, 203]);
    await erasing.run(id);
    await rig.work();
    await erasing.run(id);
    expect([...hashes]).toEqual([shared]);
    expect(await erasing.receipt(id, connectionId)).toEqual({
      ...KEPT,
      sent: 2,
      accepted: 1,
      code: 'SHARED_IDENTITY',
    });
    expect(await erasing.row(id)).toMatchObject({ state: 'done' });
    expect([await erasing.known([201, 203]), await erasing.known([202])]).toEqual([0, 1]);
  });

  it('is about the variant that they were in, and no partner of another one is asked or waited for', async () => {
    const members = Array.from({ length: 30 }, (_, index) => 301 + index);
    const audienceId = await rig.audience();
    const test = { workspaceId: rig.workspaceId, audienceId, createdBy: 'the admin' };
    const [made] = await rig.db.insert(abTests).values(test).returning();
    const testId = made?.id ?? '';
    const variants = await rig.db
      .insert(abVariants)
      .values(
        ['Push', 'E-mail', 'Control'].map((name, position) => ({
          testId,
          position,
          name,
          isControl: position === 2,
          fromBucket: [0, 4000, 8000][position] ?? 0,
          toBucket: [4000, 8000, 10_000][position] ?? 0,
        })),
      )
      .returning();
    const connected: string[] = [];
    for (const { id } of variants) connected.push(await rig.connect(audienceId, await list(), id));
    const [push = '', mail = '', control = ''] = connected;
    for (const connection of [mail, control]) await erasing.setStatus(connection, 'inactive');
    await rig.publish(audienceId, members);
    await rig.wake(audienceId);
    const [pushed = 0] = there();
    expect(partner.members.size).toBeLessThan(members.length);
    for (const connection of [mail, control]) await erasing.setStatus(connection, 'active');
    expect(there()).toEqual(members);
    // One of the others is paused for good, and had nobody of the variant.
    await erasing.setStatus(control, 'inactive');
    const id = await erasing.ask([pushed]);
    await erasing.run(id);
    await rig.work();
    await erasing.run(id);
    expect(there()).toEqual(members.filter((member) => member !== pushed));
    expect(await erasing.receipt(id, push)).toEqual(ANSWERED);
    expect(await erasing.receipt(id, mail)).toMatchObject(NOT_THERE);
    expect(await erasing.receipt(id, control)).toMatchObject(NOT_THERE);
    expect(await erasing.row(id)).toMatchObject({ state: 'done' });
  });
});

describe('a receipt that is waived while its delivery is under way', () => {
  const members = [401, 402, 403, 404, 405, 406, 407];
  const erased = members.slice(0, 5);

  it('ends the erasure, and the delivery begins anew with who is still known', async () => {
    const { audienceId, id: connectionId } = await delivered(await list(), members);
    partner.budget = 1;
    const id = await erasing.ask(erased);
    await erasing.run(id);
    await rig.work();
    await erasing.run(id);
    // The first three are out; the next batch was refused.
    expect(there()).toEqual([404, 405, 406, 407]);
    expect(await erasing.receipt(id, connectionId)).toMatchObject({
      state: 'waiting',
      code: 'CONNECTION_FAULTED',
    });
    const view = await erasing.records.waive(ADMIN, id, [connectionId]);
    expect(view.receipts).toMatchObject([{ connectionId, state: 'waived', waivedBy: ADMIN.name }]);
    // Nobody is forgotten while a process may be reading who they are.
    const delivery = eq(deliveries.connectionId, connectionId);
    const { id: deliveryId } = await rig.delivery(connectionId);
    await rig.db.update(deliveries).set({ state: 'running' }).where(eq(deliveries.id, deliveryId));
    await erasing.run(id);
    expect([(await erasing.row(id)).state, await erasing.known(erased)]).toEqual(['waiting', 5]);
    await rig.db.update(deliveries).set({ state: 'faulted' }).where(eq(deliveries.id, deliveryId));
    await erasing.run(id);
    expect([(await erasing.row(id)).state, await erasing.known(erased)]).toEqual(['done', 0]);
    partner.budget = Number.POSITIVE_INFINITY;
    for (const fault of await rig.faults(connectionId)) await rig.hub.faults.resume(ADMIN, fault.id);
    await rig.sweepAfter(60_000);
    expect(await rig.delivery(connectionId)).toMatchObject({
      state: 'delivered',
      toVersion: 2,
      planned: 0,
      accepted: 0,
    });
    expect(await rig.db.$count(deliveries, delivery)).toBe(2);
    expect(await rig.connection(connectionId)).toMatchObject({ status: 'active', deliveredVersion: 2 });
    // Whom the partner still has is what the waiver says.
    expect(there()).toEqual([404, 405, 406, 407]);
    expect(await erasing.receipt(id, connectionId)).toMatchObject({ state: 'waived', sent: null });
    await rig.publish(audienceId, [406]);
    await rig.wake(audienceId);
    expect(there()).toEqual([404, 405, 406]);
  });
});
