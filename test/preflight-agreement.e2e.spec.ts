import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { startTestHub, type TestHub } from './support/hub.js';
import { makeTenant } from './support/tenants.js';
import { until } from './support/until.js';
import { workbookOf } from './support/workbook.js';

interface Problem {
  row: number | null;
  column: string | null;
  code: string;
  message: string;
  value: string | null;
}

interface Preflight {
  verdict: 'usable' | 'unusable';
  error: Problem | null;
  rows: { read: number; accepted: number; rejected: number; rejectedByReason: Record<string, number> } | null;
  problems: Problem[];
  warnings: object[];
  match: { isWhole: boolean } | null;
  guard: { verdict: string; code: string | null; sizeAfter: number | null; added: number; removed: number };
}

interface Import {
  id: string;
  state: string;
  sourceKey: string;
  audienceId: number | null;
  error: Problem | null;
  rows: (NonNullable<Preflight['rows']> & { matched: number; created: number }) | null;
  warnings: object[];
  added: number | null;
  removed: number | null;
}

let hub: TestHub;
let dropRoot: string;
let inputId: string;

beforeAll(async () => {
  dropRoot = await mkdtemp(join(tmpdir(), 'hub-agreement-'));
  hub = await startTestHub({ HUB_SWEEP_MS: '3600000' });
  const { workspaceId } = await makeTenant(hub, 'Alpha');
  const settings = { path: dropRoot, layout: 'iqm', stableForMs: 0 };
  const body = { workspaceId, plugin: 'folder-drop', name: 'Drop', settings };
  inputId = (await hub.ok<{ id: string }>('POST', '/inputs', body)).id;
  const { id } = await hub.ok<{ id: string }>('POST', '/suppressions', {
    workspaceId,
    identities: [SUPPRESSED],
  });
  await until('the suppression is in force', async () => {
    const { state } = await hub.ok<{ state: string }>('GET', `/erasures/${id}`);
    return state === 'done';
  });
}, 60_000);

afterAll(async () => {
  await hub?.stop();
  await rm(dropRoot, { recursive: true, force: true });
});

const HEADERS = [
  'Email',
  'Phone',
  'customer_id',
  'LALVOTERID',
  'NPI_ID_VALUE',
  'voterbase_id',
  'Email-SHA256',
  'FirstName',
  'LastName',
  'mZip5',
  'mState',
  'StreetAddress',
  'FullAddress',
  'Emial',
  'Shoe size',
  '',
];
const CELLS = [
  'ann@example.com',
  'BEN@example.com ',
  'cat@example',
  '+1 212 555 0101',
  '5550101',
  'c-1',
  'c-2',
  'c-suppressed',
  'LALNY123',
  '1234567893',
  '1234567890',
  'a'.repeat(64),
  'z'.repeat(64),
  'Ann',
  "O'Hara",
  'New York',
  'NY',
  'Narnia',
  '10001',
  '1234-5',
  '5 Main St.',
  '5 Main St., New York, NY 10001',
  '',
  '',
  ' ',
  '"',
  'x\ty',
  'a\nb',
  'Zoë',
  '日本',
  '\\N',
  'NULL',
];
const USUAL = ['Email', 'Phone', 'customer_id', 'voterbase_id', 'Shoe size'];
/** Nobody brings this person in. */
const SUPPRESSED = { type: 'customer_id', value: 'c-suppressed' };

interface Written {
  format: 'csv' | 'xlsx';
  content: Buffer;
}

/** Files as people send them: mostly sound, now and then with anything wrong that a file can have wrong. */
const FILES: fc.Arbitrary<() => Promise<Written>> = fc
  .record({
    header: fc.oneof(
      { weight: 3, arbitrary: fc.uniqueArray(fc.constantFrom(...USUAL), { minLength: 1, maxLength: 3 }) },
      { weight: 2, arbitrary: fc.array(fc.constantFrom(...HEADERS), { minLength: 1, maxLength: 6 }) },
      { weight: 1, arbitrary: fc.constant(['FirstName', 'LastName', 'mZip5', 'mState', 'Email']) },
    ),
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    writing: fc.constantFrom('utf-8', 'utf-8', 'bom', 'utf-16', 'windows-1252', 'xlsx', 'xlsx'),
    lastLineEnd: fc.boolean(),
    raggedness: fc.constantFrom(0, 0, 0.1, 1),
    rows: fc.array(
      fc.record({
        cells: fc.array(fc.constantFrom(...CELLS), { minLength: 8, maxLength: 8 }),
        extra: fc.constantFrom(-1, 1, 2),
        luck: fc.double({ min: 0, max: 1, noNaN: true }),
        naked: fc.boolean(),
      }),
      { maxLength: 12 },
    ),
  })
  .map(({ header: names, delimiter, lineEnd, writing, lastLineEnd, raggedness, rows }) => {
    const header: readonly string[] = names;
    const quoted = (cell: string) =>
      /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
    const widthOf = ({ luck, extra }: { luck: number; extra: number }) =>
      Math.max(1, header.length + (luck < raggedness ? extra : 0));
    if (writing === 'xlsx') {
      const sheet = [header, ...rows.map((row) => row.cells.slice(0, widthOf(row)))];
      return () => workbook(sheet);
    }
    const lines = rows.map((row) => {
      const { cells, luck, naked } = row;
      // A quote that stands alone opens a field that may never be closed.
      return cells
        .slice(0, widthOf(row))
        .map((cell) => (naked && luck > 0.97 ? cell : quoted(cell)))
        .join(delimiter);
    });
    const text = [header.map(quoted).join(delimiter), ...lines].join(lineEnd) + (lastLineEnd ? lineEnd : '');
    return () => Promise.resolve({ format: 'csv', content: encoded(text, writing) });
  });

function encoded(text: string, writing: string): Buffer {
  if (writing === 'bom') return Buffer.from(`\ufeff${text}`);
  if (writing === 'utf-16') return Buffer.from(`\ufeff${text}`, 'utf16le');
  return writing === 'windows-1252' ? Buffer.from(text.replaceAll('日本', 'ß'), 'latin1') : Buffer.from(text);
}

/** One of each end, so that none of them is left to chance. */
const OF_EACH_END: (() => Promise<Written>)[] = [
  ...[
    'Email\nann@example.com\nben@example.com\n',
    'Email\nann@example.com\nben@example.com\ncat@example\n',
    'Email\ncat@example\nnobody\n',
    'Shoe size\n42\n',
    'customer_id,Email\nc-suppressed,dan@example.com\nc-1,ann@example.com\n',
    'customer_id\nc-suppressed\n',
  ].map((text) => () => Promise.resolve({ format: 'csv' as const, content: Buffer.from(text) })),
  () => workbook([['voterbase_id', 'Shoe size'], ['VB-1', '42'], ['', '43'], ['VB-2']]),
];

async function workbook(rows: readonly (readonly string[])[]): Promise<Written> {
  return { format: 'xlsx', content: await workbookOf({ sheets: [{ rows }] }) };
}

let batches = 0;
const taken = new Set<string>();

async function put(key: string, content: Buffer, second: number): Promise<void> {
  const path = join(dropRoot, key);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  const time = new Date(Date.UTC(2026, 0, 1) + second * 1000);
  await utimes(path, time, time);
}

/** The end of the newest import of the file at `key`. */
async function importOf(key: string): Promise<Import> {
  await hub.ok('POST', `/inputs/${inputId}/scan`);
  return until(
    'the import is at its end',
    async () => {
      // Not by the scan's own answer: the hub's regular scan may have come first.
      const { items } = await hub.ok<{ items: Import[] }>('GET', `/imports?inputId=${inputId}&pageSize=5`);
      const found = items.find(({ id, sourceKey }) => sourceKey === key && !taken.has(id));
      if (found === undefined || ['queued', 'running'].includes(found.state)) return undefined;
      taken.add(found.id);
      return found;
    },
    120_000,
  );
}

function rowsOf(rows: Import['rows']): Preflight['rows'] {
  if (rows === null) return null;
  const { read, accepted, rejected, rejectedByReason } = rows;
  return { read, accepted, rejected, rejectedByReason };
}

/** Where nobody was looked up (hashes of a form that is new here, say), a dry run cannot tell who is suppressed. */
function beforeSuppression(rows: Import['rows']): Preflight['rows'] {
  const counted = rowsOf(rows);
  if (counted === null) return null;
  const { SUPPRESSED: held = 0, ...rejectedByReason } = counted.rejectedByReason;
  return {
    read: counted.read,
    accepted: counted.accepted + held,
    rejected: counted.rejected - held,
    rejectedByReason,
  };
}

async function compare(preflight: Preflight, row: Import): Promise<void> {
  const { items } = await hub.ok<{ items: Problem[] }>('GET', `/imports/${row.id}/errors?pageSize=1000`);
  const listed = preflight.problems.map(({ row: at, column, code, message, value }) => ({
    row: at,
    column,
    code,
    message,
    value,
  }));
  expect(items).toEqual(listed);
  if (preflight.verdict === 'unusable') {
    expect(row.state).toBe('failed');
    expect(row.error?.code).toBe(preflight.error?.code);
    return;
  }
  expect(row.state).toBe(preflight.guard.verdict === 'hold' ? 'held' : 'published');
  expect(row.error?.code ?? null).toBe(preflight.guard.code);
  expect(preflight.match === null ? beforeSuppression(row.rows) : rowsOf(row.rows)).toEqual(preflight.rows);
  expect(row.warnings).toEqual(preflight.warnings);
}

describe('a dry run says what the import then does', () => {
  it('for any file: the verdict, the counts by reason, the problems, the warnings and the size', async () => {
    const seen = { usable: 0, unusable: 0, held: 0, sized: 0, rejected: 0, suppressed: 0, workbooks: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(FILES, { minLength: 12, maxLength: 12 }), async (files) => {
        batches += 1;
        // One at a time: what one import registers, the next dry run finds.
        const written = await Promise.all([...OF_EACH_END, ...files].map((write) => write()));
        for (const [index, { format, content }] of written.entries()) {
          const key = `onboarding/seat_id=seat-alpha/batch-${batches}/file-${index}.${format}`;
          await put(key, content, batches * 1000 + index);
          const preflight = await hub.ok<Preflight>('POST', `/inputs/${inputId}/preflight`, { key });
          const row = await importOf(key);
          await compare(preflight, row);
          seen[preflight.verdict] += 1;
          if (row.state === 'held') seen.held += 1;
          if (format === 'xlsx' && row.rows !== null) seen.workbooks += 1;
          const { rejected = 0, rejectedByReason = {} } = row.rows ?? {};
          if (rejected > 0) seen.rejected += 1;
          if ('SUPPRESSED' in rejectedByReason) seen.suppressed += 1;
          if (row.state !== 'published' || preflight.guard.sizeAfter === null) continue;
          const { size } = await hub.ok<{ size: number }>('GET', `/audiences/${row.audienceId}`);
          expect(preflight.guard).toMatchObject({ sizeAfter: size, added: row.added, removed: row.removed });
          seen.sized += 1;
        }
      }),
      { numRuns: 1, endOnFailure: true },
    );
    for (const [what, times] of Object.entries(seen))
      expect({ what, times: times > 0 }).toEqual({ what, times: true });
  }, 300_000);

  it('for a refresh: who comes, who goes, and whether the guard holds it', async () => {
    const people = fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(people, people, async (before, after) => {
        batches += 1;
        const key = `onboarding/seat_id=seat-alpha/refresh-${batches}/file.csv`;
        const csv = (ids: number[]) => {
          const rows = ids.map((id) => `p${id}@example.com,+1212555${String(100 + id).padStart(4, '0')}`);
          return Buffer.from(`Email,Phone\n${rows.join('\n')}\n`);
        };
        await put(key, csv(before), batches * 1000);
        expect(await importOf(key)).toMatchObject({ state: 'published' });
        await put(key, csv(after), batches * 1000 + 1);
        const { guard } = await hub.ok<Preflight>('POST', `/inputs/${inputId}/preflight`, { key });
        const row = await importOf(key);
        const nothing = guard.added === 0 && guard.removed === 0;
        const expected = guard.verdict === 'hold' ? 'held' : nothing ? 'unchanged' : 'published';
        expect(row).toMatchObject({ state: expected, added: guard.added, removed: guard.removed });
        expect(row.error?.code ?? null).toBe(guard.code);
      }),
      { numRuns: 4 },
    );
  }, 120_000);
});
