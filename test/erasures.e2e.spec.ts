import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runCli } from '../src/app/cli/run-cli.js';
import { auditEvents, deliveryBatches, outbox, type Database } from '../src/platform/database/index.js';
import { DATABASE, WAREHOUSE } from '../src/platform/nest/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import {
  downloadExport,
  tablesHolding,
  untilDelivered,
  untilErasure,
  webhookOf,
  type Erasure,
} from './support/erasures.js';
import { startDrop, type Drop } from './support/drop.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

interface Import {
  state: string;
  audienceId: number;
  version: number;
  rows: { read: number; accepted: number; rejected: number; rejectedByReason: Record<string, number> };
}

const HEADER = 'customer_id,Email,Phone';
const person = (name: string) => `${name}-id,${name}@example.com,+1202555${PHONES[name] ?? '0100'}`;
const PHONES: Record<string, string> = { ann: '0101', bob: '0102', cy: '0103', dee: '0104', eve: '0105' };
const fileOf = (...names: string[]) => `${[HEADER, ...names.map(person)].join('\n')}\n`;

let drop: Drop;
let sink: Sink;
let db: Database;
let warehouse: Warehouse;
let logged = '';

beforeAll(async () => {
  const write = process.stdout.write.bind(process.stdout);
  jest.spyOn(process.stdout, 'write').mockImplementation((chunk, ...rest) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    if (!text.startsWith('{')) return write(chunk, ...(rest as []));
    logged += text;
    return true;
  });
  sink = await Sink.start();
  drop = await startDrop({ maxShrinkShare: 0.9 }, { HUB_LOG: 'debug', HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  db = drop.hub.hub.app.get<Database>(DATABASE);
  warehouse = drop.hub.hub.app.get<Warehouse>(WAREHOUSE);
}, 120_000);

afterAll(async () => {
  await drop?.stop();
  await sink?.stop();
  jest.restoreAllMocks();
});

const ok = <Body = Record<string, unknown>>(method: string, path: string, body?: unknown) =>
  drop.hub.ok<Body>(method, path, body);
const webhook = (audienceId: number) => webhookOf(drop, audienceId, sink.url);
const delivered = (connectionId: string, version: number) => untilDelivered(drop.hub, connectionId, version);
const inState = (id: string, state: string) => untilErasure(drop.hub, id, state);
const tablesWith = (texts: readonly string[]) => tablesHolding(drop.hub, texts);

const ANN = ['ann-id', 'ann@example.com', '2025550101'];

describe('a person who is erased', () => {
  let audienceId: number;
  let connectionId: string;
  let annsMpid: string;
  let erasure: Erasure;

  beforeAll(async () => {
    const first = await drop.importOf<Import>('Hikers.csv', fileOf('ann', 'bob', 'cy'));
    ({ audienceId } = first);
    connectionId = await webhook(audienceId);
    await delivered(connectionId, 1);
    expect(sink.members.size).toBe(3);
    const page = await ok<{ items: { mpid: string; identities: { email: string[] } }[] }>(
      'GET',
      `/audiences/${audienceId}/members`,
    );
    annsMpid = page.items.find(({ identities }) => identities.email.includes('ann@example.com'))?.mpid ?? '';
    const begun = await ok<Erasure>('POST', '/erasures', {
      workspaceId: drop.workspaceId,
      identities: [{ type: 'email', value: ' ANN@example.com ' }],
    });
    expect(begun).toMatchObject({ kind: 'erase', given: 1 });
    erasure = await inState(begun.id, 'done');
  }, 120_000);

  it('leaves the audience by a version, which goes out as a remove, with a receipt', async () => {
    expect(erasure).toMatchObject({ profiles: 1, audiences: 1 });
    expect(erasure.receipts).toMatchObject([
      { connectionId, state: 'answered', sent: 1, accepted: 1, rejected: 0, unsupported: 0, reason: null },
    ]);
    expect(await ok('GET', `/audiences/${audienceId}`)).toMatchObject({ version: 2, size: 2 });
    expect([...sink.members]).not.toContain(annsMpid);
    expect(sink.members.size).toBe(2);
    expect(sink.doubled).toEqual([]);
    const delivery = await ok('GET', `/deliveries/${erasure.receipts[0]?.deliveryId ?? ''}`);
    expect(delivery).toMatchObject({ state: 'delivered', fromVersion: 1, planned: 1, accepted: 1 });
  });

  it('is nowhere in the warehouse any more', async () => {
    expect(await tablesWith(ANN)).toEqual([]);
    const [left] = await warehouse.query<{ n: string }>(
      `SELECT count() AS n FROM ledger WHERE mpid = toInt64('${annsMpid}')`,
    );
    expect(Number(left?.n)).toBe(0);
    const path = `/profiles/${annsMpid}?workspaceId=${drop.workspaceId}`;
    expect((await drop.hub.api('GET', path)).status).toBe(404);
    const outcomes = await db.select().from(deliveryBatches);
    expect(outcomes.map(({ firstMpid, lastMpid }) => [firstMpid, lastMpid]).flat()).not.toContain(
      BigInt(annsMpid),
    );
  });

  it('is not brought back by the same file, and the row is accounted for', async () => {
    const again = await drop.importOf<Import>('Hikers.csv', fileOf('ann', 'bob', 'cy'));
    expect(again).toMatchObject({
      state: 'unchanged',
      rows: { read: 3, accepted: 2, rejected: 1, rejectedByReason: { SUPPRESSED: 1 } },
    });
    expect(await tablesWith(ANN)).toEqual([]);
  });

  it('is not brought back by another identity, nor by a hash of one', async () => {
    const phones = await drop.importOf<Import>('Phones.csv', 'Phone\n+12025550101\n+12025550105\n');
    expect(phones).toMatchObject({ state: 'published', rows: { rejectedByReason: { SUPPRESSED: 1 } } });
    expect(await ok('GET', `/audiences/${phones.audienceId}`)).toMatchObject({ size: 1 });
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    const hashes = `email_sha256\n${hash('ann@example.com')}\n${hash('hal@example.com')}\n`;
    const hashed = await drop.importOf<Import>('Hashes.csv', hashes);
    expect(hashed.rows).toMatchObject({ read: 2, rejected: 1, rejectedByReason: { SUPPRESSED: 1 } });
  });

  it('is in no export that is made afterwards', async () => {
    const text = await downloadExport(drop.hub, audienceId);
    expect(text).toContain('bob@example.com');
    for (const value of ANN) expect(text).not.toContain(value);
  });

  it('has a receipt as CSV without personal data', async () => {
    const { status, body } = await drop.hub.api<string>('GET', `/erasures/${erasure.id}/receipt?format=csv`);
    expect(status).toBe(200);
    expect(body.split('\n')[0]).toContain('erasureId,connectionId,audienceId');
    expect(body).toContain(`${erasure.id},${connectionId}`);
    for (const value of [...ANN, annsMpid]) expect(body).not.toContain(value);
  });
});

describe('a person who is suppressed', () => {
  it('leaves, stays known, and may come back once the suppression is lifted', async () => {
    const file = fileOf('bob', 'cy', 'dee');
    const { audienceId } = await drop.importOf<Import>('Riders.csv', file);
    const begun = await ok<Erasure>('POST', '/suppressions', {
      workspaceId: drop.workspaceId,
      identities: [{ type: 'customer_id', value: 'dee-id' }],
    });
    expect(await inState(begun.id, 'done')).toMatchObject({ profiles: 1, audiences: 1, receipts: [] });
    expect(await ok('GET', `/audiences/${audienceId}`)).toMatchObject({ version: 2, size: 2 });
    expect(await tablesWith(['dee@example.com'])).not.toEqual([]);
    expect((await drop.importOf<Import>('Riders.csv', file)).rows.rejectedByReason).toEqual({
      SUPPRESSED: 1,
    });

    interface Entries {
      items: { id: string; type: string }[];
      total: number;
    }
    const query = `workspaceId=${drop.workspaceId}&erasureId=${begun.id}`;
    const entries = await ok<Entries>('GET', `/suppressions?${query}`);
    expect(entries.items.map(({ type }) => type)).toEqual(['customer_id', 'email', 'phone']);
    const email = { type: 'email', value: 'dee@example.com' };
    const found = await ok<Entries>('POST', '/suppressions/find', {
      workspaceId: drop.workspaceId,
      identities: [email, { type: 'email', value: 'nobody@example.com' }],
    });
    expect(found.items.map(({ id }) => id)).toEqual([entries.items[1]?.id, null]);
    for (const { id } of entries.items) await ok('DELETE', `/suppressions/${id}`);
    expect((await ok<Entries>('GET', `/suppressions?${query}`)).total).toBe(0);
    const back = await drop.importOf<Import>('Riders.csv', file);
    expect(back).toMatchObject({ state: 'published', rows: { rejected: 0 } });
    const hashed = await ok<Entries>('POST', '/suppressions/find', {
      workspaceId: drop.workspaceId,
      identities: [{ type: 'email_sha256', value: 'f'.repeat(64) }],
    });
    expect(hashed.items[0]?.id).toBeNull();
  }, 120_000);

  it('may be named by a file, whose unusable rows are counted', async () => {
    const response = await fetch(`${drop.hub.url}/api/v1/suppressions/file?workspaceId=${drop.workspaceId}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${drop.hub.adminKey}`, 'content-type': 'text/csv' },
      body: 'Email\neve@example.com\nno address\nfay@example.com\n',
    });
    const begun = (await response.json()) as Erasure;
    expect([response.status, begun]).toMatchObject([
      202,
      { given: 2, rejectedByReason: { EMAIL_INVALID: 1 } },
    ]);
    await inState(begun.id, 'done');
    const file = 'Email\neve@example.com\nfay@example.com\ngus@example.com\n';
    const made = await drop.importOf<Import>('Swimmers.csv', file);
    expect(made.rows).toMatchObject({ read: 3, accepted: 1, rejectedByReason: { SUPPRESSED: 2 } });
  }, 120_000);
});

describe('the command line', () => {
  it('suppresses by identity and erases by file, and ends when that is done', async () => {
    const file = join(drop.hub.dataDir, 'people.csv');
    await writeFile(file, 'Email\nkim@example.com\n');
    const to = ['--workspace', '5', '--json', '--url', drop.hub.url, '--key', drop.hub.adminKey];
    expect(await runCli(['suppress', ...to, '--identity', 'email=lou@example.com'], {})).toBe(0);
    expect(await runCli(['erase', file, ...to], {})).toBe(0);
    expect(await runCli(['erase', ...to], {})).toBe(2);
    const { items } = await ok<{ items: Erasure[] }>('GET', '/erasures?pageSize=2');
    expect(items).toMatchObject([
      { kind: 'erase', state: 'done', given: 1, profiles: 0 },
      { kind: 'suppress', state: 'done', given: 1, profiles: 0 },
    ]);
  }, 120_000);
});

describe('an erasure with partners that do not answer', () => {
  it('waits for a paused connection, and says so, until it is activated or waived', async () => {
    const { audienceId } = await drop.importOf<Import>('Paused.csv', fileOf('bob', 'cy'));
    const connectionId = await webhook(audienceId);
    const second = await webhook(audienceId);
    await delivered(connectionId, 1);
    await delivered(second, 1);
    for (const id of [connectionId, second]) await ok('PATCH', `/connections/${id}`, { status: 'inactive' });
    const { id } = await ok<Erasure>('POST', '/erasures', {
      workspaceId: drop.workspaceId,
      identities: [{ type: 'email', value: 'cy@example.com' }],
    });
    const waiting = await until('all receipts have a reason', async () => {
      const erasure = await inState(id, 'waiting');
      return erasure.receipts.filter(({ state }) => state === 'waiting').length === 2 ? erasure : undefined;
    });
    const paused = waiting.receipts.filter(({ state }) => state === 'waiting');
    expect(paused.map(({ reason }) => reason?.code)).toEqual(['CONNECTION_INACTIVE', 'CONNECTION_INACTIVE']);
    // What is needed to tell the partner is still there.
    expect(await tablesWith(['cy@example.com'])).not.toEqual([]);
    await ok('PATCH', `/connections/${connectionId}`, { status: 'active' });
    await ok('POST', `/erasures/${id}/waive`, { connectionIds: [second] });
    const done = await inState(id, 'done');
    const states = new Map(done.receipts.map(({ connectionId: of, state }) => [of, state]));
    expect([states.get(connectionId), states.get(second)]).toEqual(['answered', 'waived']);
    expect(await tablesWith(['cy@example.com', 'cy-id'])).toEqual([]);
    expect((await drop.hub.api('POST', `/erasures/${id}/waive`, {})).status).toBe(409);
  }, 120_000);

  it('says where a partner refused to take somebody out, and pseudonymises the outcome', async () => {
    const { audienceId } = await drop.importOf<Import>('Refusing.csv', fileOf('bob', 'eli'));
    const connectionId = await webhook(audienceId);
    await delivered(connectionId, 1);
    const page = await ok<{ items: { mpid: string; identities: { email?: string[] } }[] }>(
      'GET',
      `/audiences/${audienceId}/members`,
    );
    const eli = page.items.find(({ identities }) => identities.email?.includes('eli@example.com'));
    sink.refusedRows.add(eli?.mpid ?? '');
    const { id } = await ok<Erasure>('POST', '/erasures', {
      workspaceId: drop.workspaceId,
      mpids: [eli?.mpid],
    });
    const { receipts } = await inState(id, 'done');
    expect(receipts).toMatchObject([
      { state: 'answered', sent: 1, accepted: 0, rejected: 1, reason: { code: 'REMOVE_REFUSED' } },
    ]);
    const outcomes = await ok<{ items: { mpid: string; status: string }[] }>(
      'GET',
      `/deliveries/${receipts[0]?.deliveryId ?? ''}/outcomes`,
    );
    expect(outcomes.items).toMatchObject([{ mpid: 'erased', status: 'rejected' }]);
  }, 120_000);

  it('refuses what names nobody, without saying what was sent', async () => {
    const ask = (body: object) =>
      drop.hub.api('POST', '/erasures', { workspaceId: drop.workspaceId, ...body });
    const wrong = await ask({ identities: [{ type: 'email', value: 'zoe-at-nowhere' }] });
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ field: 'identities.0.value' }] } });
    expect(JSON.stringify(wrong.body)).not.toContain('zoe');
    expect((await ask({})).status).toBe(400);
  });
});

describe('a hub that erased people', () => {
  it('wrote none of their values to its log, audit, mail or metrics', async () => {
    const { body: metrics } = await drop.hub.api<string>('GET', '/metrics');
    const audit = JSON.stringify(await db.select().from(auditEvents));
    const mail = JSON.stringify(await db.select().from(outbox));
    expect(logged).toContain('people left');
    expect(audit).toContain('erasure.done');
    for (const value of ['ann', 'cy', 'dee', 'eve', 'eli'].flatMap((name) => [
      `${name}-id`,
      `${name}@example.com`,
      `202555${PHONES[name] ?? '0100'}`,
    ])) {
      for (const text of [logged, audit, mail, metrics]) expect(text).not.toContain(value);
    }
  });
});
