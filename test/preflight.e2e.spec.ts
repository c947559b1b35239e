import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { audiences, imports, sources, workspaces, type Database } from '../src/platform/database/index.js';
import { DATABASE, WAREHOUSE } from '../src/platform/nest/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { eq } from 'drizzle-orm';
import { startTestHub, type TestHub } from './support/hub.js';
import { makeTenant, type Tenant } from './support/tenants.js';
import { until } from './support/until.js';

interface Preflight {
  verdict: 'usable' | 'unusable';
  error: { code: string; message: string } | null;
  file: {
    encoding: string | null;
    delimiter: string | null;
    columns: { number: number; header: string; field: string | null }[];
    identityTypes: string[];
  };
  hints: { columnNumber: number; header: string; suggestion: string }[];
  rows: { read: number; accepted: number; rejected: number } | null;
  problems: { row: number | null; column: string | null; code: string; value: string | null }[];
  problemCounts: Record<string, number>;
  mapping: { state: string; change: { added: string[]; removed: string[] } | null } | null;
  match: { sampledRows: number; isWhole: boolean; share: number; low: number; high: number } | null;
  guard: { verdict: string; code: string | null; sizeBefore: number; sizeAfter: number | null } | null;
  code?: string;
  detail?: string;
}

let hub: TestHub;
let alpha: Tenant;
let beta: Tenant;
let db: Database;
let warehouse: Warehouse;
let dropRoot: string;
let inputId: string;

beforeAll(async () => {
  dropRoot = await mkdtemp(join(tmpdir(), 'hub-preflight-'));
  hub = await startTestHub();
  db = hub.hub.app.get<Database>(DATABASE);
  warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  alpha = await makeTenant(hub, 'Alpha');
  beta = await makeTenant(hub, 'Beta');
  const settings = { path: dropRoot, layout: 'iqm', stableForMs: 0 };
  const body = { workspaceId: alpha.workspaceId, plugin: 'folder-drop', name: 'Drop', settings };
  inputId = (await hub.ok<{ id: string }>('POST', '/inputs', body)).id;
}, 60_000);

afterAll(async () => {
  await hub?.stop();
  await rm(dropRoot, { recursive: true, force: true });
});

const keyOf = (name: string) => `onboarding/seat_id=seat-alpha/files/${name}.csv`;
let ticks = 0;

async function put(name: string, content: string | Uint8Array): Promise<void> {
  const path = join(dropRoot, keyOf(name));
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  const past = new Date(Date.now() - 3_600_000 + (ticks += 1000));
  await utimes(path, past, past);
}

async function imported(name: string, content: string): Promise<number> {
  await put(name, content);
  await hub.ok('POST', `/inputs/${inputId}/scan`);
  return until(
    'the import is published',
    async () => {
      const { items } = await hub.ok<{ items: { state: string; sourceKey: string; audienceId: number }[] }>(
        'GET',
        `/imports?inputId=${inputId}`,
      );
      const row = items.find(({ sourceKey }) => sourceKey === keyOf(name));
      if (row === undefined) return undefined;
      if (row.state === 'failed') throw new Error(JSON.stringify(row));
      return row.state === 'published' ? row.audienceId : undefined;
    },
    30_000,
  );
}

async function push(
  content: string | Uint8Array,
  query: Readonly<Record<string, string | number>> = {},
  headers: Record<string, string> = {},
  key = alpha.editor,
): Promise<{ status: number; body: Preflight }> {
  const all = { workspaceId: alpha.workspaceId, layout: 'iqm', ...query };
  const search = new URLSearchParams(
    Object.entries(all).map(([name, value]): [string, string] => [name, `${value}`]),
  );
  const response = await fetch(`${hub.url}/api/v1/preflight?${search.toString()}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv', ...headers },
    body: content,
  });
  return { status: response.status, body: (await response.json()) as Preflight };
}

/** Everything that an import would leave behind. */
async function traces() {
  const tables = await warehouse.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, '^(work|trial)_')",
  );
  const [people] = await warehouse.query<{ n: string }>('SELECT count() AS n FROM identities');
  const scratch = join(hub.dataDir, 'scratch', 'dry-runs');
  return {
    imports: await db.$count(imports),
    sources: await db.$count(sources),
    audiences: await db.$count(audiences),
    identities: Number(people?.n),
    tables: tables.map(({ name }) => name),
    files: existsSync(scratch) ? await readdir(scratch) : [],
  };
}

describe('a file that is sent to be looked at', () => {
  it('is described: encoding, delimiter, columns, what people are found by', async () => {
    const text = 'Fist Name;Email;Shoe size\nAnn;ann@example.com;40\nBen;ben@example.com;41\n';
    const { status, body } = await push(Buffer.from(`\ufeff${text}`, 'utf16le'));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      verdict: 'usable',
      error: null,
      file: {
        encoding: 'utf-16le',
        delimiter: ';',
        columns: [
          { number: 1, header: 'Fist Name', field: null },
          { number: 2, header: 'Email', field: 'Email' },
          { number: 3, header: 'Shoe size', field: null },
        ],
        identityTypes: ['email'],
      },
      hints: [{ columnNumber: 1, header: 'Fist Name', suggestion: 'First Name' }],
      rows: { read: 2, accepted: 2, rejected: 0 },
      mapping: { state: 'first', change: null },
      match: { sampledRows: 2, isWhole: true, share: 0 },
      guard: { verdict: 'pass', sizeBefore: 0, sizeAfter: 2 },
    });
  });

  it('has every problem listed, with row, column and masked value, and none of it known to anybody else', async () => {
    const lines = ['Email,Phone', 'ann@example.com,+12125550101', 'nobody,', 'a,b,c', 'carl@,x'];
    const { body } = await push(`${lines.join('\n')}\n`);
    expect(body).toMatchObject({
      verdict: 'usable',
      rows: { read: 4, accepted: 1, rejected: 3 },
      problemCounts: { EMAIL_INVALID: 2, TOO_MANY_COLUMNS: 1 },
    });
    expect(body.problems).toEqual([
      expect.objectContaining({ row: 4, code: 'TOO_MANY_COLUMNS' }),
      expect.objectContaining({ row: 3, line: 3, column: 'Email', code: 'EMAIL_INVALID', value: 'n***(6)' }),
      expect.objectContaining({ row: 5, column: 'Email', code: 'EMAIL_INVALID' }),
    ]);
    expect(JSON.stringify(body)).not.toMatch(/nobody|carl@|ann@/);
    expect(body.guard).toMatchObject({ verdict: 'hold', code: 'MOSTLY_REJECTED' });
  });

  it('counts problems beyond the thousand that are listed', async () => {
    const rows = Array.from({ length: 1800 }, (_, n) => (n % 3 === 0 ? `p${n}@example.com` : 'nobody'));
    const { body } = await push(`Email\n${rows.join('\n')}\n`);
    expect(body.problems).toHaveLength(1000);
    expect(body.problemCounts).toEqual({ EMAIL_INVALID: 1200 });
    expect(body.rows).toMatchObject({ read: 1800, accepted: 600, rejected: 1200 });
    const bad = await push(`Email\n${'x,y\n'.repeat(1700)}`);
    expect(bad.body).toMatchObject({
      verdict: 'unusable',
      error: { code: 'NO_USABLE_ROWS' },
      problemCounts: { NO_USABLE_ROWS: 1, TOO_MANY_COLUMNS: 1700 },
    });
    expect(bad.body.problems).toHaveLength(1000);
  });

  it.each([
    ['NO_USABLE_COMBINATION', 'Fist Name,Emial\nAnn,ann@example.com\n'],
    ['NO_HEADER', 'ann@example.com\nben@example.com\n'],
    ['EMPTY_FILE', ''],
    ['UNCLOSED_QUOTE', 'Email,Phone\nann@example.com,"1\n'],
  ])('is unusable with the code of the import: %s', async (code, content) => {
    const { status, body } = await push(content);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      verdict: 'unusable',
      error: { code },
      rows: null,
      match: null,
      guard: null,
    });
    expect(body.problems[0]).toMatchObject({ code });
    expect(JSON.stringify(body)).not.toMatch(/ann@|ben@/);
  });

  it('names the fields that misspelled headers are near, where it is unusable for them', async () => {
    const { body } = await push('Fist Name,Emial\nAnn,ann@example.com\n');
    expect(body.hints).toEqual([
      { columnNumber: 1, header: 'Fist Name', suggestion: 'First Name' },
      { columnNumber: 2, header: 'Emial', suggestion: 'Email' },
    ]);
  });

  it('leaves nothing behind', async () => {
    const before = await traces();
    await push('Email,Phone\nnew1@example.com,+12125550111\nnew2@example.com,\nbad,\n');
    await push('customer-1\ncustomer-2\n', { layout: 'repro' });
    expect(await traces()).toEqual({ ...before, tables: [], files: [] });
  });

  it('is refused where it is no file, too large, compressed, or of a workspace the key does not see', async () => {
    const json = await push('{}', {}, { 'content-type': 'application/json' });
    expect(json).toMatchObject({ status: 415, body: { code: 'MEDIA_TYPE_UNSUPPORTED' } });
    const zipped = await push('Email\n', {}, { 'content-encoding': 'gzip' });
    expect(zipped.status).toBe(415);
    expect((await push('Email\n', { workspaceId: beta.workspaceId })).status).toBe(404);
    expect((await push('Email\n', { layout: 'king' })).status).toBe(400);
    expect((await push('Email\n', {}, {}, alpha.viewer)).status).toBe(403);
  });
});

describe('a file for an audience that is there', () => {
  const EMAILS = 'Email\nann@example.com\nben@example.com\ncat@example.com\ndan@example.com\n';

  it('is compared with it: who is known, what the guard would say, whether the columns are kept', async () => {
    const audienceId = await imported('Compared', EMAILS);
    const kept = await push('Email\nann@example.com\nben@example.com\nnew@example.com\n', { audienceId });
    expect(kept.body).toMatchObject({
      verdict: 'usable',
      mapping: { state: 'kept', change: null },
      match: { sampledRows: 3, isWhole: true },
      guard: { verdict: 'pass', sizeBefore: 4, sizeAfter: 3, added: 1, removed: 2 },
    });
    expect(kept.body.match?.share).toBeCloseTo(2 / 3);
    const shrunk = await push('Email\nann@example.com\n', { audienceId });
    expect(shrunk.body.guard).toMatchObject({ verdict: 'hold', code: 'WOULD_SHRINK', sizeAfter: 1 });
    const changed = await push('Phone\n+12125550101\n', { audienceId });
    expect(changed.body).toMatchObject({
      verdict: 'unusable',
      error: { code: 'MAPPING_CHANGED' },
      mapping: { state: 'changed', change: { added: ['Phone'], removed: ['Email'] } },
    });
    const foreign = await push(EMAILS, { audienceId, workspaceId: beta.workspaceId }, {}, beta.editor);
    expect(foreign.status).toBe(404);
  });

  it('that is large is looked up by a sample, with a range that holds the truth', async () => {
    const audienceId = await imported('Large', EMAILS);
    const known = ['ann', 'ben', 'cat', 'dan'];
    const rows = Array.from({ length: 30_000 }, (_, n) =>
      n % 5 === 0 ? `${known[n % 4]}@example.com` : `stranger${n}@example.com`,
    );
    const { body } = await push(`Email\n${rows.join('\n')}\n`, { audienceId });
    const { match, guard } = body;
    expect(match).toMatchObject({ sampledRows: 10_000, isWhole: false });
    expect(match?.low).toBeLessThan(0.2);
    expect(match?.high).toBeGreaterThan(0.2);
    expect((match?.high ?? 1) - (match?.low ?? 0)).toBeLessThan(0.02);
    expect(guard).toMatchObject({ verdict: 'not_estimated', sizeAfter: null, sizeAfterAtMost: 30_000 });
    const again = await push(`Email\n${rows.join('\n')}\n`, { audienceId });
    expect(again.body.match).toEqual(match);
  });

  it('would make one too many: the limit of the workspace is told', async () => {
    const [row] = await db.select().from(workspaces).where(eq(workspaces.id, beta.workspaceId));
    const settings = { ...row?.settings, audienceLimit: 1 };
    await db.update(workspaces).set({ settings }).where(eq(workspaces.id, beta.workspaceId));
    await db.insert(audiences).values({ workspaceId: beta.workspaceId, name: 'The one', kind: 'imported' });
    const { body } = await push(EMAILS, { workspaceId: beta.workspaceId }, {}, beta.editor);
    expect(body).toMatchObject({ verdict: 'unusable', error: { code: 'AUDIENCE_LIMIT' } });
  });
});

describe('the dry run of an input', () => {
  it('looks at the file at a key, and takes nothing up', async () => {
    await put('Waiting', 'Email,Email\nann@example.com,ann@example.com\n');
    const before = await traces();
    const key = keyOf('Waiting');
    const found = await hub.ok<Preflight>('POST', `/inputs/${inputId}/preflight`, { key }, alpha.editor);
    expect(found).toMatchObject({ verdict: 'unusable', error: { code: 'DUPLICATE_HEADER' } });
    expect(await traces()).toEqual(before);
    const absent = await hub.api<Preflight>('POST', `/inputs/${inputId}/preflight`, { key: 'none.csv' });
    expect(absent).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('says what a scan would do, and queues nothing', async () => {
    await put('Fresh', 'Email\nann@example.com\n');
    await writeFile(join(dropRoot, 'onboarding', 'stray.txt'), 'x');
    const before = await traces();
    const dry = await hub.ok<{
      listed: number;
      unchanged: number;
      files: {
        key: string;
        audienceName: string | null;
        audienceId: number | null;
        problem: { code: string } | null;
        preflight: Preflight | null;
      }[];
    }>('POST', `/inputs/${inputId}/scan`, { dryRun: true });
    const of = (key: string) => dry.files.find((file) => file.key === key);
    expect(of(keyOf('Fresh'))).toMatchObject({
      audienceName: 'Fresh',
      audienceId: null,
      problem: null,
      preflight: { verdict: 'usable', rows: { read: 1 } },
    });
    expect(of(keyOf('Waiting'))).toMatchObject({ preflight: { verdict: 'unusable' } });
    expect(of('onboarding/stray.txt')).toMatchObject({ problem: { code: 'KEY_LAYOUT' }, preflight: null });
    expect(dry.listed).toBe(dry.unchanged + dry.files.length);
    expect(await traces()).toEqual(before);
    const real = await hub.ok<{ queued: string[]; refused: string[] }>('POST', `/inputs/${inputId}/scan`);
    expect([...real.queued, ...real.refused]).toHaveLength(dry.files.length);
  });
});
