import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { codeOf } from '../src/domain/identities/index.js';
import {
  audiences,
  connectionUpkeep,
  deliveries,
  PARKED_UNTIL,
  workspaces,
  type Database,
} from '../src/platform/database/index.js';
import { DATABASE, WAREHOUSE } from '../src/platform/nest/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

const DAY_MS = 86_400_000;

interface Plan {
  id: string;
  members: number;
  skipped: number;
  requests: number;
  deliveryId: string | null;
  operations: { operation: string; members: number; requests: number }[];
}

let hub: TestHub;
let sink: Sink;
let db: Database;
let warehouse: Warehouse;
let workspaceId: string;
let workspace: number;

beforeAll(async () => {
  hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  sink = await Sink.start();
  db = hub.hub.app.get<Database>(DATABASE);
  warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  const { id: organizationId } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Example' });
  const body = { organizationId, name: 'Shop', seatId: '1042' };
  workspaceId = (await hub.ok<{ id: string }>('POST', '/workspaces', body)).id;
  const [row] = await db.select().from(workspaces).where(eq(workspaces.id, workspaceId));
  workspace = row?.number ?? 0;
  // People 1 to 90 have an e-mail, every third of them a phone, and 200 to 229 a phone alone.
  await identities('email', 'number % 90 + 1', 90);
  await identities('phone', '3 * number + 3', 30);
  await identities('phone', 'number + 200', 30);
}, 60_000);

afterAll(async () => {
  await hub?.stop();
  await sink?.stop();
});

async function identities(type: 'email' | 'phone', mpid: string, count: number): Promise<void> {
  await warehouse.command(
    `INSERT INTO profiles SELECT ${workspace}, ${mpid}, ${codeOf(type)},
       concat('${type}-', toString(${mpid})) FROM numbers(${count})`,
  );
}

/** Appends to the ledger: everybody from `from` up to `to`, both included. */
async function write(audienceId: number, version: number, sign: 1 | -1, from: number, to: number) {
  await warehouse.command(
    `INSERT INTO ledger SELECT ${audienceId}, number, ${version}, ${sign}, now64(3)
     FROM numbers(${from}, ${to - from + 1})`,
  );
}

async function publish(audienceId: number, version: number): Promise<void> {
  await db.update(audiences).set({ version }).where(eq(audiences.id, audienceId));
}

/** An audience whose first version is people 1 to 100, connected and inactive. */
async function connected(name: string, settings: object = {}) {
  const row = { workspaceId, name, kind: 'imported' as const, size: 100 };
  const [audience] = await db.insert(audiences).values(row).returning();
  const audienceId = audience?.id ?? 0;
  await write(audienceId, 1, 1, 1, 100);
  await publish(audienceId, 1);
  const { id: outputId } = await hub.ok<{ id: string }>('POST', '/outputs', {
    workspaceId,
    plugin: 'webhook',
    name,
    settings: { url: sink.url, batchSize: 20, ...settings },
    credentials: { secret: 'shared-with-the-sink' },
  });
  const body = { outputId, status: 'inactive' };
  const { id } = await hub.ok<{ id: string }>('POST', `/audiences/${audienceId}/connections`, body);
  return { audienceId, outputId, id };
}

const plan = (id: string) => hub.ok<Plan>('POST', `/connections/${id}/plan`);
const apply = (id: string, planId: string) =>
  hub.api<Plan>('POST', `/connections/${id}/plan/apply`, { planId });

async function delivered(deliveryId: string | null) {
  return until('it is delivered', async () => {
    const delivery = await hub.ok<{ state: string; planned: number; accepted: number }>(
      'GET',
      `/deliveries/${deliveryId}`,
    );
    return delivery.state === 'delivered' ? delivery : undefined;
  });
}

describe('a plan', () => {
  it('counts what will be sent, to whom, in how many requests; sends nothing, and then just that', async () => {
    const { audienceId, id } = await connected('Planned');
    const first = await plan(id);
    expect(first).toMatchObject({
      fromVersion: 0,
      toVersion: 1,
      underWay: null,
      members: 100,
      skipped: 10,
      operations: [
        {
          operation: 'add',
          members: 100,
          skipped: [{ code: 'NO_ACCEPTED_IDENTITY', members: 10 }],
          identities: expect.arrayContaining([
            { type: 'email', members: 90 },
            { type: 'phone', members: 30 },
          ]),
          requests: 5,
        },
        { operation: 'remove', members: 0, skipped: [], identities: [], requests: 0 },
      ],
      requests: 6,
      estimatedSeconds: null,
      appliedAt: null,
    });
    expect([sink.batches.length, sink.created.size]).toEqual([0, 0]);
    expect(await hub.ok('GET', `/connections/${id}/deliveries`)).toMatchObject({ total: 0 });

    const applied = await apply(id, first.id);
    expect(applied).toMatchObject({ status: 200, body: { id: first.id, appliedAt: expect.any(String) } });
    const delivery = await delivered(applied.body.deliveryId);
    expect(delivery).toMatchObject({ planned: 100, accepted: 90, rejected: 0, skipped: 10 });
    expect([sink.batches.length, sink.created.size]).toEqual([5, 1]);
    expect(await hub.ok('GET', `/connections/${id}`)).toMatchObject({ status: 'active' });
    expect(await apply(id, first.id)).toMatchObject({ status: 409, body: { code: 'WRONG_STATE' } });

    await hub.ok('PATCH', `/connections/${id}`, { status: 'inactive' });
    await write(audienceId, 2, -1, 81, 100);
    await write(audienceId, 2, 1, 200, 229);
    await write(audienceId, 3, -1, 220, 229);
    await publish(audienceId, 3);
    const second = await plan(id);
    // Who came and went in between is not in it.
    expect(second).toMatchObject({
      members: 40,
      skipped: 10,
      operations: [
        { operation: 'add', members: 20, identities: [{ type: 'phone', members: 20 }], requests: 1 },
        { operation: 'remove', members: 20, requests: 1 },
      ],
      requests: 2,
      estimatedSeconds: expect.any(Number),
    });
    const again = await apply(id, second.id);
    expect(await delivered(again.body.deliveryId)).toMatchObject({
      planned: second.members,
      skipped: second.skipped,
      fromVersion: 1,
      toVersion: 3,
    });
  });

  it('knows how long the rate of the output makes it', async () => {
    const rateLimit = { requests: 2, perSeconds: 60 };
    const { id } = await connected('Slow', { rateLimit });
    // Six requests, two a minute: the last pair may go after two minutes.
    expect(await plan(id)).toMatchObject({ requests: 6, estimatedSeconds: 126 });
  });

  it('that does not hold any more is refused with what has changed, and nothing is sent', async () => {
    const { audienceId, outputId, id } = await connected('Stale');
    const before = sink.batches.length;
    const made = await plan(id);
    await write(audienceId, 2, 1, 300, 300);
    await publish(audienceId, 2);
    await hub.ok('PATCH', `/outputs/${outputId}`, { settings: { url: sink.url, batchSize: 30 } });
    const refused = await apply(id, made.id);
    expect(refused).toMatchObject({
      status: 409,
      body: {
        code: 'PLAN_STALE',
        detail: expect.stringContaining('audienceVersion: was 1, is 2'),
        errors: [{ field: 'audienceVersion' }, { field: 'output' }],
      },
    });
    expect(await hub.ok('GET', `/connections/${id}`)).toMatchObject({ status: 'inactive' });
    expect(await hub.ok('GET', `/connections/${id}/deliveries`)).toMatchObject({ total: 0 });
    expect(sink.batches.length).toBe(before);
    expect(await apply(id, (await plan(id)).id)).toMatchObject({ status: 200 });
    const other = await connected('Other');
    expect(await apply(other.id, made.id)).toMatchObject({ status: 404 });
  });
});

/** Delivered by a plan, and paused. */
async function deliveredAndPaused(name: string, settings: object = {}) {
  const made = await connected(name, settings);
  const first = await apply(made.id, (await plan(made.id)).id);
  await delivered(first.body.deliveryId);
  await hub.ok('PATCH', `/connections/${made.id}`, { status: 'inactive' });
  return made;
}

describe('a plan of a connection that sends members again', () => {
  const ask = (id: string) => hub.ok('POST', `/connections/${id}/reconcile`, { backfill: true });

  it('counts those of a backfill that was asked for, and is refused when another one is', async () => {
    const { audienceId, id } = await deliveredAndPaused('Asked');
    expect(await plan(id)).toMatchObject({ members: 0, operations: [], requests: 0 });
    await ask(id);
    expect(await plan(id)).toMatchObject({
      members: 100,
      skipped: 10,
      operations: [
        { operation: 'add', members: 0 },
        { operation: 'remove', members: 0 },
        { operation: 'add_again', members: 100, requests: 5 },
      ],
      requests: 5,
    });
    await write(audienceId, 2, -1, 81, 100);
    await write(audienceId, 2, 1, 200, 229);
    await publish(audienceId, 2);
    const made = await plan(id);
    // Who comes is sent once.
    expect(made.operations.map(({ operation, members }) => [operation, members])).toEqual([
      ['add', 30],
      ['remove', 20],
      ['add_again', 80],
    ]);
    await ask(id);
    expect(await apply(id, made.id)).toMatchObject({
      status: 409,
      body: {
        code: 'PLAN_STALE',
        errors: [{ field: 'again', message: expect.stringContaining('backfill 1') }],
      },
    });
    const before = sink.batches.length;
    const again = await plan(id);
    const { body } = await apply(id, again.id);
    expect(await delivered(body.deliveryId)).toMatchObject({
      planned: again.members,
      skipped: again.skipped,
    });
    expect(sink.batches.length - before).toBe(again.requests);
    expect(await hub.ok('GET', `/connections/${id}`)).toMatchObject({ backfillPending: false });
    expect(await plan(id)).toMatchObject({ members: 0, operations: [] });
  });

  it('counts the slices whose heartbeats are due, and is refused when those are others', async () => {
    const { id } = await deliveredAndPaused('Forgetful', { expireAfterDays: 72 });
    // Twelve slices had their turn just now, and all was sent longer ago than a cycle.
    const longAgo = new Date(Date.now() - 60 * DAY_MS);
    const slots = Object.fromEntries(Array.from({ length: 12 }, (_, slice) => [slice, Date.now()]));
    const heartbeats = { sinceMs: longAgo.getTime(), slots };
    await db.insert(connectionUpkeep).values({ connectionId: id, workspaceId, heartbeats });
    const sent = { createdAt: longAgo, startedAt: longAgo, touchedAt: longAgo, finishedAt: longAgo };
    await db.update(deliveries).set(sent).where(eq(deliveries.connectionId, id));
    const [due] = await warehouse.query<{ n: string }>(
      'SELECT count() AS n FROM numbers(1, 100) WHERE cityHash64(toInt64(number)) % 24 >= 12',
    );
    const made = await plan(id);
    expect(made.operations.at(-1)).toMatchObject({ operation: 'add_again', members: Number(due?.n) });
    expect([made.members > 0, made.members < 100]).toEqual([true, true]);

    const own = eq(connectionUpkeep.connectionId, id);
    const another = { ...heartbeats, slots: { ...slots, 12: Date.now() } };
    await db.update(connectionUpkeep).set({ heartbeats: another }).where(own);
    expect(await apply(id, made.id)).toMatchObject({
      status: 409,
      body: { code: 'PLAN_STALE', errors: [{ field: 'again', message: expect.stringContaining('12 of') }] },
    });
    await db.update(connectionUpkeep).set({ heartbeats }).where(own);
    const { body } = await apply(id, made.id);
    const { planned, accepted } = await delivered(body.deliveryId);
    expect([planned, accepted]).toEqual([made.members, made.members - made.skipped]);
    expect(await plan(id)).toMatchObject({ members: 0, operations: [] });
  });

  it('leaves to the delivery under way what that one sends', async () => {
    const { id } = await deliveredAndPaused('Under way');
    await ask(id);
    const row = { workspaceId, connectionId: id, fromVersion: 1, toVersion: 1 };
    const sendsAgain = { backfill: 1 };
    await db.insert(deliveries).values({ ...row, sendsAgain, state: 'queued', notBefore: PARKED_UNTIL });
    expect(await plan(id)).toMatchObject({ members: 0, underWay: { toVersion: 1 } });
    await ask(id);
    expect((await plan(id)).operations.at(-1)).toMatchObject({ operation: 'add_again', members: 100 });
  });
});
