import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { forgetOutcomes } from '../src/features/deliveries/forget-outcomes.js';
import { audiences, connections, deliveries, deliveryBatches } from '../src/platform/database/index.js';
import { ShutdownError } from '../src/platform/queue/index.js';
import { ADMIN, type DeliveryRig } from './support/delivery-rig.js';
import { BARE, DeliveryScene, range, SENT } from './support/delivery-scene.js';
import type { Sink } from './support/sink.js';

const MINUTE_MS = 60_000;

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

describe('a delivery', () => {
  it('brings the first version, then only the changes, each once', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await rig.wake(audienceId);
    const delivery = await scene.expectDelivered(connectionId, SENT, 1);
    expect(delivery).toMatchObject({ planned: 350, accepted: 345, rejected: 0, skipped: 5 });
    expect(sink.batches.map(({ mpids }) => mpids.length)).toEqual([100, 100, 100, 45]);
    expect([...sink.created]).toEqual([[connectionId, 'Spring buyers']]);

    await rig.publish(audienceId, range(11, 360), BARE);
    await rig.wake(audienceId);
    expect(await rig.delivery(connectionId)).toMatchObject({ planned: 20, accepted: 20, skipped: 0 });
    await scene.expectDelivered(connectionId, [...range(11, 345), ...range(351, 360)], 2);
    expect(sink.batches.slice(4).map(({ operation, mpids }) => [operation, mpids.length])).toEqual([
      ['add', 10],
      ['remove', 10],
    ]);
    expect(sink.created.size).toBe(1);
  });

  it('does not count as delivered where the ledger lost somebody who was published', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.engine.command(`ALTER TABLE ledger DELETE WHERE audience_id = ${audienceId} AND mpid = 7`, {
      settings: { mutations_sync: 2 },
    });
    await rig.wake(audienceId);
    expect(await rig.delivery(connectionId)).toMatchObject({
      state: 'queued',
      planned: 350,
      accepted: 344,
      error: { code: 'COUNTS_DISAGREE' },
    });
    expect(await rig.connection(connectionId)).toMatchObject({ deliveredVersion: 0 });
  });

  it('goes on to the version that was published while it ran', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.hub.planner.wake(audienceId);
    await rig.publish(audienceId, range(1, 10));
    await rig.hub.planner.wake(audienceId);
    await rig.work();
    await scene.expectDelivered(connectionId, range(1, 10), 2);
  });

  it('is made by the sweep where nobody woke it', async () => {
    const { connectionId } = await scene.connected();
    await rig.sweepAfter(0);
    await scene.expectDelivered(connectionId, SENT, 1);
  });

  it('makes the next batch ready while one is with the partner, which still sees one at a time', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    await scene.expectDelivered(connectionId, SENT, 1);
    expect(sink.mostAtOnce).toBe(1);
  });

  it('delivers an empty change', async () => {
    const audienceId = await rig.audience();
    await rig.publish(audienceId, []);
    const connectionId = await rig.connectWebhook(audienceId, sink.url);
    await rig.wake(audienceId);
    expect(await scene.expectDelivered(connectionId, [], 1)).toMatchObject({ planned: 0 });
  });

  it('is cancelled where its audience was deleted', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.hub.planner.wake(audienceId);
    await rig.db.update(audiences).set({ deletedAt: new Date() }).where(eq(audiences.id, audienceId));
    await rig.work();
    expect(await rig.delivery(connectionId)).toMatchObject({ state: 'cancelled' });
    expect(sink.batches).toEqual([]);
  });
});

describe('an output that takes whole states', () => {
  it('gets the members of each version in parts, and a process may die between them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hub-whole-'));
    try {
      const audienceId = await rig.audience('Whole');
      await rig.publish(audienceId, range(10_001, 22_000));
      const settings = { destination: folder, format: 'csv', content: 'members' };
      const connectionId = await rig.connect(audienceId, await rig.output('file', settings));
      await rig.wake(audienceId);
      await rig.publish(audienceId, range(10_003, 21_000));
      await rig.hub.planner.wake(audienceId);
      await rig.killed(connectionId);
      await rig.sweepAfter(0);
      const delivery = await rig.delivery(connectionId);
      expect(delivery).toMatchObject({ state: 'delivered', planned: 10_998, accepted: 10_998, skipped: 0 });
      const lines = (await readFile(join(folder, 'Whole.csv'), 'utf8')).trim().split('\n').slice(1);
      expect(lines.map((line) => Number(line.split(',')[0])).sort((a, b) => a - b)).toEqual(
        range(10_003, 21_000),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('refused rows', () => {
  it('are rejected alone where the partner names them', async () => {
    const { audienceId, connectionId } = await scene.connected();
    sink.refusedRows.add('150');
    await rig.wake(audienceId);
    const delivery = await scene.expectDelivered(
      connectionId,
      SENT.filter((mpid) => mpid !== 150),
      1,
    );
    expect(delivery).toMatchObject({ accepted: 344, rejected: 1, skipped: 5 });
    expect(await rig.faults(connectionId)).toEqual([]);
  });

  it('are found where the partner refuses the whole batch, and never fail their batch-mates', async () => {
    const { audienceId, connectionId } = await scene.connected();
    sink.poison.add('177');
    await rig.wake(audienceId);
    const delivery = await scene.expectDelivered(
      connectionId,
      SENT.filter((mpid) => mpid !== 177),
      1,
    );
    expect(delivery).toMatchObject({ accepted: 344, rejected: 1 });
    expect(sink.batches.length).toBeLessThanOrEqual(4 + 2 * Math.ceil(Math.log2(100)) + 1);
    const rows = await rig.db
      .select()
      .from(deliveryBatches)
      .where(eq(deliveryBatches.deliveryId, delivery.id));
    expect(
      rows.flatMap(({ exceptions }) => exceptions).filter(({ status }) => status === 'rejected'),
    ).toEqual([
      { mpid: '177', status: 'rejected', code: 'HTTP_422', message: expect.stringContaining('422') },
    ]);
  });

  it('raise a fault that stops nothing where they are many', async () => {
    const { audienceId, connectionId } = await scene.connected();
    for (const mpid of range(1, 40)) sink.refusedRows.add(String(mpid));
    await rig.wake(audienceId);
    await scene.expectDelivered(connectionId, range(41, 345), 1);
    const [fault] = await rig.faults(connectionId);
    expect(fault).toMatchObject({ kind: 'permanent', code: 'ROWS_REJECTED', detail: { rejected: 40 } });
    await rig.hub.faults.resume(ADMIN, fault?.id ?? '');
    expect(await rig.connection(connectionId)).toMatchObject({ status: 'active' });
  });
});

describe('outcomes', () => {
  it('by person are let go of when they are old, and the counts stay', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    const forget = async (afterDays: number) => {
      const now = new Date(rig.clock.now().getTime() + afterDays * 24 * 60 * MINUTE_MS);
      const endedBefore = new Date(now.getTime() - 90 * 24 * 60 * MINUTE_MS);
      await forgetOutcomes(rig.db, { endedBefore, now }, new AbortController().signal);
      return rig.delivery(connectionId);
    };
    const batches = async (id: string) => {
      const rows = await rig.db.select().from(deliveryBatches).where(eq(deliveryBatches.deliveryId, id));
      return rows.reduce((sum, row) => sum + row.batches, 0);
    };
    const kept = await forget(89);
    expect([kept.outcomesForgottenAt, await batches(kept.id)]).toEqual([null, 4]);
    const forgotten = await forget(91);
    expect(forgotten).toMatchObject({ planned: 350, accepted: 345, skipped: 5 });
    expect([forgotten.outcomesForgottenAt, await batches(kept.id)]).toEqual([expect.any(Date), 0]);
  });

  it('that do not add up to what was planned are refused by the database', async () => {
    const { audienceId, connectionId } = await scene.connected();
    await rig.wake(audienceId);
    const { id } = await rig.delivery(connectionId);
    const losingOne = rig.db.update(deliveries).set({ accepted: 344 }).where(eq(deliveries.id, id));
    await expect(losingOne.execute()).rejects.toMatchObject({
      cause: { constraint: 'deliveries_balance' },
    });
  });
});

describe('a process that ends', () => {
  it('by SIGKILL after the partner took a batch: the same batch goes out again, and only that', async () => {
    const { audienceId, connectionId } = await scene.connected();
    scene.failing('lost answer', 1);
    await rig.wake(audienceId);
    await rig.killed(connectionId);
    await rig.sweepAfter(MINUTE_MS);
    await scene.expectDelivered(connectionId, SENT, 1);
    expect(sink.batches.length).toBe(5);
    expect(new Set(sink.batches.map(({ key }) => key)).size).toBe(4);
  });

  it('by a shutdown: the batch under way is finished and written down, and the next process goes on', async () => {
    const { audienceId, connectionId } = await scene.connected();
    const stop = new AbortController();
    sink.failure = (batch) => {
      if (batch === 2) stop.abort(new ShutdownError());
      return undefined;
    };
    await rig.hub.planner.wake(audienceId);
    await rig.work(stop.signal);
    expect(await rig.delivery(connectionId)).toMatchObject({
      state: 'queued',
      leaseOwner: null,
      accepted: 200,
    });
    await rig.sweepAfter(0);
    await scene.expectDelivered(connectionId, SENT, 1);
    expect(sink.batches.length).toBe(4);
  });

  it('does not send a batch that was made ready while the connection was being paused', async () => {
    const { audienceId, connectionId } = await scene.connected();
    sink.beforeAnswer = async (batch) => {
      if (batch === 2)
        await rig.db.update(connections).set({ status: 'inactive' }).where(eq(connections.id, connectionId));
      // The pause is noticed when the second batch is written down; the fourth is ready by then.
      if (batch !== 3) return;
      while ((await rig.delivery(connectionId)).accepted < 200) await sleep(20);
    };
    await rig.wake(audienceId);
    expect(await rig.delivery(connectionId)).toMatchObject({
      state: 'queued',
      leaseOwner: null,
      failures: 0,
      error: null,
      accepted: 300,
    });
    expect([sink.batches.length, await rig.faults(connectionId)]).toEqual([3, []]);

    await rig.db.update(connections).set({ status: 'active' }).where(eq(connections.id, connectionId));
    await rig.db.update(deliveries).set({ notBefore: null }).where(eq(deliveries.connectionId, connectionId));
    await rig.sweepAfter(0);
    await scene.expectDelivered(connectionId, SENT, 1);
    expect(sink.batches.length).toBe(4);
  });

  it('pauses between batches where the connection is paused, and goes on from there when activated', async () => {
    const { audienceId, connectionId } = await scene.connected();
    let paused: Promise<unknown> | undefined;
    sink.failure = (batch) => {
      if (batch === 1) {
        paused = rig.db
          .update(connections)
          .set({ status: 'inactive' })
          .where(eq(connections.id, connectionId))
          .execute();
      }
      return undefined;
    };
    await rig.wake(audienceId);
    await paused;
    const delivery = await rig.delivery(connectionId);
    expect(delivery).toMatchObject({ state: 'queued', leaseOwner: null });
    expect(sink.batches.length).toBeLessThan(4);
    expect(delivery.accepted).toBe(sink.members.size);
  });
});
