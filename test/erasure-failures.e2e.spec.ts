import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { and, eq } from 'drizzle-orm';
import { audiences, auditEvents } from '../src/platform/database/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { ADMIN, DeliveryRig } from './support/delivery-rig.js';
import { ErasureRig } from './support/erasure-rig.js';
import { MemoryPartner, oneListOf } from './support/one-list.js';

const partner = new MemoryPartner();
let rig: DeliveryRig;
let erasing: ErasureRig;
beforeAll(async () => {
  rig = await DeliveryRig.start([oneListOf(partner)]);
  erasing = new ErasureRig(rig);
}, 120_000);
afterAll(() => rig?.stop());
beforeEach(() => partner.reset());

async function delivered(members: readonly number[]) {
  const audienceId = await rig.audience();
  const connectionId = await rig.connect(audienceId, await rig.output('one-list', { list: randomUUID() }));
  await rig.publish(audienceId, members);
  await rig.wake(audienceId);
  return { audienceId, connectionId };
}

/** The engine, out of order; it names somebody in what it says. */
function broken(): Warehouse {
  const fail = () => Promise.reject(new Error('no such part of p601@example.com'));
  return { ...rig.engine, command: fail, query: fail };
}

async function failing(id: string, times: number): Promise<void> {
  for (let failure = 0; failure < times; failure += 1) await erasing.run(id, broken());
}

async function versionOf(audienceId: number) {
  const [row] = await rig.db.select().from(audiences).where(eq(audiences.id, audienceId));
  return [row?.version, row?.size];
}

describe('an erasure whose steps fail', () => {
  it('is failed after eight failures in a row, and goes on where it stopped once somebody retries', async () => {
    const { audienceId, connectionId } = await delivered([601, 602]);
    const id = await erasing.ask([601]);
    await erasing.run(id);
    await rig.work();
    expect([...partner.members]).toEqual([602]);
    await failing(id, 7);
    expect(await erasing.row(id)).toMatchObject({ state: 'waiting', step: 'await', failures: 7 });
    await failing(id, 1);
    const failed = await erasing.row(id);
    expect(failed).toMatchObject({ state: 'failed', step: 'await', error: { code: 'UNEXPECTED' } });
    expect(JSON.stringify(failed)).not.toContain('p601');
    // Nobody works on it before somebody has looked.
    await erasing.run(id);
    expect([(await erasing.row(id)).state, await erasing.known([601])]).toEqual(['failed', 1]);
    const retried = await erasing.records.retry(ADMIN, id);
    expect(retried).toMatchObject({ state: 'queued', error: null });
    expect(await erasing.row(id)).toMatchObject({ step: 'await', failures: 0 });
    const noted = and(eq(auditEvents.objectId, id), eq(auditEvents.action, 'erasure.retry'));
    expect(await rig.db.$count(auditEvents, noted)).toBe(1);
    await erasing.run(id);
    expect(await erasing.row(id)).toMatchObject({ state: 'done', audiences: 1, error: null });
    expect(await erasing.receipt(id, connectionId)).toMatchObject({ state: 'answered', accepted: 1 });
    expect([await versionOf(audienceId), await erasing.known([601])]).toEqual([[2, 1], 0]);
    await expect(erasing.records.retry(ADMIN, id)).rejects.toMatchObject({ code: 'WRONG_STATE' });
  });

  it('counts those in a row only: what waits in between has worked', async () => {
    const { connectionId } = await delivered([611, 612]);
    await erasing.setStatus(connectionId, 'inactive');
    const id = await erasing.ask([611]);
    for (let times = 0; times < 3; times += 1) {
      await failing(id, 7);
      await erasing.run(id);
      expect(await erasing.row(id)).toMatchObject({ state: 'waiting', failures: 0, error: null });
    }
  });

  it('that never began takes nobody out before it is retried, and then everybody once', async () => {
    const one = await delivered([621, 622]);
    const other = await delivered([621, 623]);
    const id = await erasing.ask([621]);
    await failing(id, 8);
    expect(await erasing.row(id)).toMatchObject({ state: 'failed', step: 'find', profiles: null });
    expect([await versionOf(one.audienceId), await versionOf(other.audienceId)]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    await erasing.records.retry(ADMIN, id);
    await erasing.run(id);
    await rig.work();
    await erasing.run(id);
    expect(await erasing.row(id)).toMatchObject({ state: 'done', profiles: 1, audiences: 2 });
    expect([await versionOf(one.audienceId), await versionOf(other.audienceId)]).toEqual([
      [2, 1],
      [2, 1],
    ]);
  });
});
