import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import type { EngineReading } from './report.js';
import { IDS_ONLY, Scratch, WITH_HEADER } from './scratch.suite.js';

let scratch: Scratch;
let warehouse: Warehouse;
let closeWarehouse: () => Promise<void>;
beforeAll(async () => {
  scratch = await Scratch.open();
  ({ warehouse, close: closeWarehouse } = await temporaryWarehouse());
});
afterAll(async () => {
  await closeWarehouse();
  await scratch.close();
});

/** What the engine reads when it does as the report says. */
async function engineRows(engine: EngineReading, columns: number): Promise<string[][]> {
  const names = Array.from({ length: columns }, (_, index) => `c${index + 1}`);
  const structure = names.map((name) => `${name} String`).join(', ');
  const rows = await warehouse.query<Record<string, string>>(
    `SELECT ${names.map((name) => `base64Encode(${name}) AS ${name}_64`).join(', ')} FROM file('${engine.path}', '${engine.format}', '${structure}')`,
    { settings: { ...engine.settings, max_threads: 1 } },
  );
  return rows.map((row) => names.map((name) => Buffer.from(row[`${name}_64`] ?? '', 'base64').toString()));
}

const WHITE = /^[\t-\r ]*$/;

function isBlank(cells: readonly string[]): boolean {
  return cells.length === 1 && WHITE.test(cells[0] ?? '');
}

/** Rows as records: blank lines are none, and normalisers drop the CR that LineAsString leaves. */
async function engineRecords(engine: EngineReading, columns: number): Promise<string[][]> {
  const rows = await engineRows(engine, columns);
  if (columns > 1) return rows;
  const keepsReturns = engine.format === 'LineAsString';
  return rows.filter((row) => !isBlank(row)).map(([id = '']) => [keepsReturns ? id.replace(/\r$/, '') : id]);
}

interface Written {
  cells: string[];
  quoted: boolean;
  lineEnd: string;
}

function csv(records: readonly Written[], delimiter: string, lastLineEnd: boolean): string {
  const lines = records.map(({ cells, quoted }) =>
    cells
      .map((cell) =>
        quoted || /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell,
      )
      .join(delimiter),
  );
  return lines
    .map(
      (line, index) =>
        line + (lastLineEnd || index < lines.length - 1 ? (records[index]?.lineEnd ?? '\n') : ''),
    )
    .join('');
}

const TRAPS = [
  ',',
  ';',
  '\t',
  '|',
  '"',
  '""',
  '\n',
  '\r',
  '\r\n',
  '\\N',
  '\\',
  '\\n',
  "'",
  "'a",
  'c1',
  'c2',
  'NULL',
  ' ',
  ' x ',
  '',
  '\ufeff',
  '\u00a0',
  '=1+1',
  '0',
  'é',
  '👩‍👩‍👧',
  '\b\f\v',
];
const ANY_CELL = fc
  .array(fc.oneof(fc.constantFrom(...TRAPS), fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 4 })
  .map((pieces) => pieces.join('').replaceAll('\0', '0'));
const TAME_CELL = fc
  .array(fc.constantFrom('a', 'Zoë', '\\N', '\\', "'", 'c1', ' ', 'c2', '日本', '0'), { maxLength: 4 })
  .map((pieces) => pieces.join(''));
/** Characters of Windows-1252 standing alone, as in names. */
const WESTERN_CELL = fc
  .array(fc.constantFrom('José ', 'Müller, ', 'O’Brien', '€ 5', '"', '\n', 'x;', '\\N'), { maxLength: 4 })
  .map((pieces) => pieces.join(''));

const HEADER = ['customer_id', 'note', 'memo', 'remark'];
const LINE_END = fc.constantFrom('\n', '\r\n', '\r');

function recordsOf(cell: fc.Arbitrary<string>, columns: number, lineEnd = LINE_END): fc.Arbitrary<Written[]> {
  const width = fc.oneof({ weight: 9, arbitrary: fc.constant(columns) }, { weight: 1, arbitrary: fc.nat(5) });
  const cells = width.chain((count) =>
    fc.array(cell, { minLength: Math.max(1, count), maxLength: Math.max(1, count) }),
  );
  return fc.array(fc.record({ cells, quoted: fc.boolean(), lineEnd }), { minLength: 1, maxLength: 8 });
}

const MARKED = {
  'utf-8': '\ufeff',
  plain: '',
  'utf-16le': '\ufeff',
  'utf-16be': '\ufeff',
  western: '',
} as const;
type Writing = keyof typeof MARKED;

function encode(text: string, writing: Writing): Buffer {
  const marked = MARKED[writing] + text;
  if (writing === 'utf-16le') return Buffer.from(marked, 'utf16le');
  if (writing === 'utf-16be') return Buffer.from(marked, 'utf16le').swap16();
  if (writing !== 'western') return Buffer.from(marked);
  return Buffer.from(marked.replaceAll('’', '\x92').replaceAll('€', '\x80'), 'latin1');
}

describe('the engine reads', () => {
  it('the records that were written, whatever they hold and however they are written', async () => {
    let read = 0;
    const files = fc.record({
      writing: fc.constantFrom<Writing>('utf-8', 'plain', 'utf-16le', 'utf-16be', 'western'),
      columns: fc.integer({ min: 1, max: 4 }),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      lastLineEnd: fc.boolean(),
    });
    const inputs = files.chain((file) =>
      fc.record({
        file: fc.constant(file),
        records: recordsOf(file.writing === 'western' ? WESTERN_CELL : ANY_CELL, file.columns),
      }),
    );
    await fc.assert(
      fc.asyncProperty(inputs, async ({ file: { writing, columns, delimiter, lastLineEnd }, records }) => {
        const header: Written = { cells: HEADER.slice(0, columns), quoted: false, lineEnd: '\n' };
        const used = columns === 1 ? ',' : delimiter;
        const report = await scratch.check(
          encode(csv([header, ...records], used, lastLineEnd), writing),
          WITH_HEADER,
        );
        const filled = records.filter(({ cells }) => !isBlank(cells));
        const good = filled.filter(({ cells }) => cells.length === columns);
        expect(report.verdict).toBe(good.length === 0 ? 'refused' : 'usable');
        if (report.verdict === 'refused') return;
        read += 1;
        expect(report.rejected).toBe(filled.length - good.length);
        const rows = await engineRecords(report.engine, columns);
        expect(rows).toEqual(good.map(({ cells }) => cells));
      }),
      { numRuns: 100 },
    );
    expect(read).toBeGreaterThan(30);
  });

  it('ids without header as they are, BOM or not', async () => {
    const inputs = fc.record({
      records: recordsOf(ANY_CELL, 1),
      bom: fc.boolean(),
      lastLineEnd: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(inputs, async ({ records, bom, lastLineEnd }) => {
        const single = records.map((record) => ({ ...record, cells: record.cells.slice(0, 1) }));
        const text = csv(single, ',', lastLineEnd);
        const request = await scratch.request((bom ? '\ufeff' : '') + text, IDS_ONLY);
        const report = await scratch.checkRequest({ ...request, delimiter: ',' });
        const marked = text.startsWith('\ufeff') && !bom;
        const cells = single.map((record, index) =>
          marked && index === 0 ? [(record.cells[0] ?? '').slice(1)] : record.cells,
        );
        const good = cells.filter((record) => !isBlank(record));
        expect(report.verdict).toBe(good.length === 0 ? 'refused' : 'usable');
        if (report.verdict === 'refused') return;
        expect(await engineRecords(report.engine, 1)).toEqual(good);
      }),
      { numRuns: 50 },
    );
  });

  it('a plain file where it lies, not a copy', async () => {
    const files = fc.record({
      columns: fc.integer({ min: 1, max: 4 }),
      header: fc.boolean(),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      lineEnd: fc.constantFrom('\n', '\r\n'),
      lastLineEnd: fc.boolean(),
    });
    const inputs = files.chain((file) =>
      fc.record({
        file: fc.constant(file),
        rows: fc.array(fc.array(TAME_CELL, { minLength: file.columns, maxLength: file.columns }), {
          minLength: 1,
          maxLength: 8,
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(inputs, async ({ file, rows }) => {
        const { columns, header, delimiter, lineEnd, lastLineEnd } = file;
        const filled = rows.map(([first = '', ...others]) => [`x${first}`, ...others]);
        const records = [...(header ? [HEADER.slice(0, columns)] : []), ...filled].map((cells) => ({
          cells,
          quoted: false,
          lineEnd,
        }));
        const shape = header
          ? WITH_HEADER
          : { ...WITH_HEADER, header: false, columns: HEADER.slice(0, columns) };
        const used = columns === 1 ? ',' : delimiter;
        const request = await scratch.request(csv(records, used, lastLineEnd), shape);
        const report = await scratch.checkRequest({ ...request, delimiter: used });
        if (report.verdict === 'refused') throw new Error('refused');
        expect(report.engine.path).toBe(request.path);
        expect(await engineRecords(report.engine, columns)).toEqual(filled);
      }),
      { numRuns: 60 },
    );
  });
});
