import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { ReconcileService } from '../src/features/upkeep/reconciliation/reconcile.service.js';
import { connectionUpkeep, notices, outbox, type Database } from '../src/platform/database/index.js';
import { DATABASE } from '../src/platform/nest/index.js';
import { startDrop, type Drop } from './support/drop.js';
import { untilErasure } from './support/erasures.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

interface Connection {
  id: string;
  status: string;
  deliveredVersion: number;
  openFault: { id: string; code: string; kind: string } | null;
  backfillPending: boolean;
  reconciliation: {
    reconciledAt: string;
    verdict: string;
    problem: { code: string; message: string } | null;
    toldAt: string | null;
  } | null;
}
interface Delivery {
  state: string;
  operation: string;
  fromVersion: number;
  planned: number;
}

let drop: Drop;
let db: Database;
let sink: Sink;

beforeAll(async () => {
  drop = await startDrop(undefined, { HUB_ALLOW_PRIVATE_EGRESS: 'true', HUB_SWEEP_MS: '500' });
  db = drop.hub.hub.app.get<Database>(DATABASE);
}, 120_000);
afterAll(() => drop?.stop());
beforeEach(async () => {
  sink = await Sink.start();
});
afterEach(() => sink.stop());

const get = (id: string) => drop.hub.ok<Connection>('GET', `/connections/${id}`);
const reconcile = (id: string, body: object = {}) =>
  drop.hub.ok<Connection>('POST', `/connections/${id}/reconcile`, body);
const deliveriesOf = async (id: string) =>
  (await drop.hub.ok<{ items: Delivery[] }>('GET', `/connections/${id}/deliveries`)).items;

/** Five people, of whom one has no e-mail address; all have a customer id. */
async function connected(
  name: string,
  settings: object = { tellsCount: true },
  end = 'delivered',
): Promise<string> {
  const people = ['c1,ann', 'c2,ben', 'c3,cat', 'c4,dan'].map((one) => `${one}-${name}@example.com`);
  const file = ['Customer ID,Email', ...people.map((one) => `${name}-${one}`), `${name}-c5,`].join('\n');
  const { audienceId } = await drop.importOf<{ state: string; audienceId: number }>(
    `${name}.csv`,
    `${file}\n`,
  );
  const output = await drop.hub.ok<{ id: string }>('POST', '/outputs', {
    workspaceId: drop.workspaceId,
    plugin: 'webhook',
    name,
    settings: { url: sink.url, ...settings },
    credentials: { secret: 'shared-with-the-sink' },
  });
  const body = { outputId: output.id, status: 'active' };
  const { id } = await drop.hub.ok<Connection>('POST', `/audiences/${audienceId}/connections`, body);
  await delivered(id, end);
  return id;
}

const delivered = (id: string, end = 'delivered') =>
  until(`it is ${end}`, async () => {
    const all = await deliveriesOf(id);
    return all.length > 0 && all.every(({ state }) => state === end || state === 'cancelled');
  });

describe('what a partner says it has', () => {
  it('is held against what the hub counts as accepted there, and shown with the connection', async () => {
    const id = await connected('agreeing');
    expect((await get(id)).reconciliation).toBeNull();
    const { reconciliation } = await reconcile(id);
    expect(reconciliation).toMatchObject({
      verdict: 'agrees',
      of: 'members',
      version: 1,
      hub: 5,
      partner: 5,
      tolerance: 0,
      settling: 0,
      lagMs: 0,
      problem: null,
    });
    expect((await get(id)).reconciliation).toEqual(reconciliation);
  });

  it('counts without those whom the partner refused', async () => {
    const id = await connected('refusing', { tellsCount: true, batchSize: 2 });
    const [first = ''] = sink.members;
    sink.refusedRows.add(first);
    sink.members.delete(first);
    await reconcile(id, { backfill: true });
    await until('all were sent again', async () => !(await get(id)).backfillPending);
    expect((await reconcile(id)).reconciliation).toMatchObject({ verdict: 'agrees', hub: 4, partner: 4 });
    // Perhaps the partner took them after all; more than that it cannot have.
    sink.members.add(first);
    expect((await reconcile(id)).reconciliation).toMatchObject({ verdict: 'agrees', hub: 4, partner: 5 });
    sink.members.add('4711');
    expect((await reconcile(id)).reconciliation).toMatchObject({ verdict: 'more', hub: 4, partner: 6 });
  });

  it('counts without those who were refused, and erased since', async () => {
    const id = await connected('erasing', { tellsCount: true, batchSize: 2 });
    const [first = ''] = sink.members;
    sink.refusedRows.add(first);
    sink.members.delete(first);
    await reconcile(id, { backfill: true });
    await until('all were sent again', async () => !(await get(id)).backfillPending);
    sink.refusedRows.delete(first);
    const given = { workspaceId: drop.workspaceId, mpids: [first] };
    const erasure = await drop.hub.ok<{ id: string }>('POST', '/erasures', given);
    await untilErasure(drop.hub, erasure.id, 'done');
    expect((await reconcile(id)).reconciliation).toMatchObject({ verdict: 'agrees', hub: 4, partner: 4 });
  });

  it('is a warning where it differs, stops nothing, and a backfill sends everybody once', async () => {
    const id = await connected('differing', { tellsCount: true, batchSize: 2 });
    const lost = [...sink.members].slice(0, 2);
    for (const mpid of lost) sink.members.delete(mpid);
    const differing = await reconcile(id);
    expect(differing).toMatchObject({
      status: 'active',
      openFault: null,
      backfillPending: false,
      reconciliation: {
        verdict: 'fewer',
        hub: 5,
        partner: 3,
        problem: { code: 'COUNT_DIFFERS', message: expect.stringContaining('2 fewer') },
      },
    });
    expect(sink.batches).toHaveLength(3);

    await reconcile(id, { backfill: true });
    await until('all were sent again', async () => !(await get(id)).backfillPending);
    expect(sink.members.size).toBe(5);
    const again = sink.batches.slice(3);
    expect(again.map(({ operation, mpids }) => [operation, mpids.length])).toEqual([
      ['add', 2],
      ['add', 2],
      ['add', 1],
    ]);
    expect(new Set(sink.batches.map(({ key }) => key)).size).toBe(6);
    expect((await deliveriesOf(id))[0]).toMatchObject({
      state: 'delivered',
      operation: 'add_again',
      planned: 5,
    });
    expect((await reconcile(id)).reconciliation).toMatchObject({ verdict: 'agrees', problem: null });
    const { items } = await drop.hub.ok<{ items: { changes: Record<string, { to: unknown }> }[] }>(
      'GET',
      `/audit?objectId=${id}&action=connection.reconcile`,
    );
    expect(items.map(({ changes }) => changes.backfill?.to)).toEqual([false, true, false]);
    expect(items[2]?.changes.result?.to).toMatchObject({ verdict: 'fewer', hub: 5, partner: 3 });
  });

  it('is not asked of partners that do not tell, nor of those that have nothing yet', async () => {
    const id = await connected('silent', {});
    expect((await reconcile(id)).reconciliation).toMatchObject({
      verdict: 'uncounted',
      partner: null,
      problem: { code: 'COUNT_UNSUPPORTED' },
    });
    expect(sink.counted).toBe(0);
    await reconcile(id, { backfill: true });
    await until('all were sent again', async () => !(await get(id)).backfillPending);
    expect(sink.batches).toHaveLength(2);
    await drop.hub.ok('PATCH', `/connections/${id}`, { status: 'inactive' });
  });

  it('may fail to be told, which is said and stops nothing', async () => {
    const id = await connected('failing');
    sink.failure = (_, event) => (event === 'audience.count' ? { status: 503 } : undefined);
    expect(await reconcile(id)).toMatchObject({
      status: 'active',
      openFault: null,
      reconciliation: { verdict: 'uncounted', problem: { code: 'HTTP_503' } },
    });
  });

  it('may be that the list is gone: the connection stops, and Resume makes it anew and sends all', async () => {
    const id = await connected('gone');
    sink.failure = (_, event) => (event === 'audience.count' ? { status: 410 } : undefined);
    const found = await reconcile(id);
    expect(found).toMatchObject({
      status: 'faulted',
      openFault: { code: 'LIST_GONE', kind: 'config' },
      reconciliation: { verdict: 'uncounted', problem: { code: 'LIST_GONE' } },
    });
    // Found again, it is the same fault.
    expect((await reconcile(id)).openFault).toEqual(found.openFault);
    sink.failure = () => undefined;
    sink.reset();
    await drop.hub.ok('POST', `/faults/${found.openFault?.id}/resume`);
    await delivered(id);
    expect([sink.created.size, sink.members.size, sink.doubled]).toEqual([1, 5, []]);
    expect(await reconcile(id)).toMatchObject({
      status: 'active',
      openFault: null,
      reconciliation: { verdict: 'agrees', hub: 5, partner: 5 },
    });
  });
});

describe('a backfill that is asked for amidst a first delivery', () => {
  it('comes after it: whom the partner lost may have been sent before', async () => {
    sink.failure = (batch) => (batch > 1 ? { status: 401 } : undefined);
    const id = await connected('losing', { tellsCount: true, batchSize: 2 }, 'faulted');
    const [lost = ''] = sink.members;
    sink.members.delete(lost);
    expect(await reconcile(id, { backfill: true })).toMatchObject({ backfillPending: true });
    sink.failure = () => undefined;
    await drop.hub.ok('POST', `/faults/${(await get(id)).openFault?.id}/resume`);
    await until('all were sent again', async () => !(await get(id)).backfillPending);
    expect(sink.members.has(lost)).toBe(true);
    expect((await deliveriesOf(id)).map(({ fromVersion }) => fromVersion)).toEqual([1, 0]);
  });
});

describe('a backfill of an output that takes whole states', () => {
  it('writes the state anew', async () => {
    const destination = join(drop.hub.dataDir, 'partner');
    await mkdir(destination, { recursive: true });
    const rows = 'Email\nann-whole@example.com\nben-whole@example.com\n';
    const { audienceId } = await drop.importOf<{ state: string; audienceId: number }>('whole.csv', rows);
    const about = { workspaceId: drop.workspaceId, plugin: 'file', name: 'whole', settings: { destination } };
    const output = await drop.hub.ok<{ id: string }>('POST', '/outputs', about);
    const body = { outputId: output.id, status: 'active' };
    const { id } = await drop.hub.ok<Connection>('POST', `/audiences/${audienceId}/connections`, body);
    await delivered(id);
    const file = join(destination, 'whole.csv');
    const before = await readFile(file, 'utf8');
    await rm(file);
    await reconcile(id, { backfill: true });
    await until('it was sent again', async () => !(await get(id)).backfillPending);
    expect(await readFile(file, 'utf8')).toBe(before);
    expect((await deliveriesOf(id))[0]).toMatchObject({ operation: 'replace', planned: 2 });
  });
});

describe('the daily check', () => {
  const never = new AbortController().signal;
  /** As if it had been done the day before. */
  const dayLater = async (id: string) => {
    const reconciledAt = new Date(Date.now() - 86_400_000);
    const which = eq(connectionUpkeep.connectionId, id);
    await db.update(connectionUpkeep).set({ reconciledAt }).where(which);
    await drop.hub.hub.app.get(ReconcileService, { strict: false }).reconcileAll(never);
    return (await get(id)).reconciliation;
  };
  const told = async (id: string) => {
    const all = await db.select().from(notices).where(eq(notices.kind, 'count_differs'));
    return all.map(({ content }) => content).filter(({ line }) => line.includes(id));
  };

  it('tells admins of a difference by mail, of each once, and not of what somebody asked for', async () => {
    const id = await connected('telling');
    const [first = '', second = ''] = sink.members;
    sink.members.delete(first);
    expect((await reconcile(id)).reconciliation).toMatchObject({ verdict: 'fewer', toldAt: null });
    expect(await told(id)).toEqual([]);
    const found = await dayLater(id);
    expect(found).toMatchObject({ verdict: 'fewer', toldAt: expect.any(String) });
    const [notice] = await told(id);
    expect(notice).toMatchObject({
      headline: '"telling" says it has 1 fewer of "telling" than were accepted',
      message: expect.stringMatching(/^The partner says it has 4 members, .* \(COUNT_DIFFERS\)$/),
    });
    const [mail] = await db.select().from(outbox).where(eq(outbox.kind, 'count_differs'));
    expect(mail?.subject).toBe(notice?.headline);

    // The same on the next day, whoever asks between, and on a day without an answer: nothing new.
    expect((await dayLater(id))?.toldAt).toBe(found?.toldAt);
    await reconcile(id);
    sink.failure = (_, event) => (event === 'audience.count' ? { status: 503 } : undefined);
    expect(await dayLater(id)).toMatchObject({ verdict: 'uncounted', toldAt: found?.toldAt });
    sink.failure = () => undefined;
    await dayLater(id);
    expect(await told(id)).toHaveLength(1);

    sink.members.delete(second);
    await dayLater(id);
    expect(await told(id)).toHaveLength(2);
    for (const mpid of [first, second]) sink.members.add(mpid);
    expect(await dayLater(id)).toMatchObject({ verdict: 'agrees', toldAt: null });
    for (const mpid of [first, second]) sink.members.delete(mpid);
    await dayLater(id);
    expect(await told(id)).toHaveLength(3);
  });

  it('asks every partner that tells once a day, whoever runs it and however often', async () => {
    const id = await connected('daily');
    const service = drop.hub.hub.app.get(ReconcileService, { strict: false });
    await service.reconcileAll(never);
    expect((await get(id)).reconciliation).toMatchObject({ verdict: 'agrees', partner: 5 });
    await service.reconcileAll(never);
    expect(sink.counted).toBe(1);
    const yesterday = new Date(Date.now() - 86_400_000);
    await db
      .update(connectionUpkeep)
      .set({ reconciledAt: yesterday })
      .where(eq(connectionUpkeep.connectionId, id));
    const stopped = AbortSignal.abort(new Error('shut down'));
    await service.reconcileAll(stopped);
    expect(sink.counted).toBe(1);
    await service.reconcileAll(never);
    expect(sink.counted).toBe(2);
  });
});
