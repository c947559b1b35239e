import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  boolean,
  errorCell,
  escapeXml,
  formulaText,
  inline,
  number,
  partsOf,
  workbookOf,
  zipOf,
  type TestCell,
  type TestSheet,
} from '../../../../../test/support/workbook.js';
import type { FileShape } from '../../../../kit/index.js';
import { explainRows } from '../preflight.js';
import { Scratch, WITH_HEADER } from '../scratch.suite.js';
import { csvField } from './csv-field.js';

const WORKBOOK: FileShape = { ...WITH_HEADER, format: 'xlsx' };

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.open();
});
afterAll(() => scratch.close());

const oneSheet = (rows: TestSheet['rows'], formats?: string[]) =>
  workbookOf({ sheets: [{ rows }], ...(formats ? { formats } : {}) });

/** The text that a sheet becomes. */
async function textOf(file: Buffer): Promise<string> {
  const request = await scratch.request(file, WORKBOOK);
  const report = await scratch.checkRequest(request);
  if (report.verdict === 'refused') throw new Error(JSON.stringify(report.problems));
  return readFile(request.textPath, 'utf8');
}

describe('a sheet', () => {
  it('is read as the texts that its cells show', async () => {
    const file = await oneSheet(
      [
        ['Email', 'Phone', 'mZip5', 'Note'],
        ['a@example.com', number('5555550123'), number(2134, 1), number(44197, 2)],
        [inline('b@example.com'), '0075', formulaText('00501'), boolean(true)],
        [
          { xml: 't="inlineStr"><is><r><t>c@</t></r><r><t>example.com</t></r><rPh><t>x</t></rPh></is>' },
          'a "quoted", text',
          'two\nlines',
          { xml: 's="2" t="d"><v>2021-01-01T00:00:00</v>' },
        ],
      ],
      ['00000', 'yyyy-mm-dd'],
    );
    expect(await textOf(file)).toBe(
      [
        'Email,Phone,mZip5,Note',
        'a@example.com,5555550123,02134,2021-01-01',
        'b@example.com,0075,00501,TRUE',
        'c@example.com,"a ""quoted"", text","two\nlines",2021-01-01',
        '',
      ].join('\n'),
    );
  });

  it('keeps columns and rows in their places whatever is blank or missing', async () => {
    const file = await oneSheet([
      undefined,
      ['Email', 'Phone', 'Note', '', { xml: 's="1">' }],
      [undefined, '+15555550123'],
      undefined,
      ['', number(' '.trim()), '', ''],
      ['a@example.com', undefined, 'x'],
    ]);
    expect(await textOf(file)).toBe('\nEmail,Phone,Note\n,+15555550123,\n\n\na@example.com,,x\n');
  });

  it('is the first visible one, and others that hold something are mentioned', async () => {
    const file = await workbookOf({
      sheets: [
        { rows: [['no@example.com']], state: 'veryHidden' },
        { rows: [['Email'], ['a@example.com']] },
        { rows: [] },
        { rows: [['more']] },
        { rows: [['hidden']], state: 'hidden' },
      ],
    });
    const report = await scratch.usable(file, WORKBOOK);
    expect(report.notes).toEqual([
      { code: 'SHEETS_PASSED_OVER', message: expect.stringContaining('1 more of the workbook holds') },
    ]);
    expect(report.mapping.columns.map((column) => column.header)).toEqual(['Email']);
  });

  it('has its columns mapped, and its problems named by its own rows', async () => {
    const file = await oneSheet([
      undefined,
      ['Email', 'customer_id'],
      ['a@example.com', 'c-1'],
      ['no address'],
      undefined,
      [errorCell('#N/A'), { xml: '><f>A1</f>' }],
      ['b@example.com', 'c-2', 'beyond'],
      [errorCell('#REF!'), 'c-3'],
    ]);
    const request = await scratch.request(file, WORKBOOK);
    const report = await scratch.checkRequest(request);
    if (report.verdict === 'refused') throw new Error(JSON.stringify(report.problems));
    expect(report.problems).toMatchObject([
      {
        row: 7,
        code: 'TOO_MANY_COLUMNS',
        message: expect.stringContaining('texts in 3 columns; expected 2'),
      },
    ]);
    const explained = await explainRows({ ...request, report }, new AbortController().signal);
    expect(explained.problems).toMatchObject([
      { row: 4, column: 'Email', code: 'EMAIL_INVALID' },
      { row: 6, column: 'customer_id', code: 'CELL_ERROR' },
    ]);
    expect(explained.ignoredCells).toEqual({ CELL_ERROR: 1 });
    expect((await scratch.rejects()).map((line) => line.split(',')[0])).toEqual(['7', '4', '6']);
  });

  it('of more rows than allowed is refused without being read to its end', async () => {
    const file = await oneSheet([['Email'], ...Array.from({ length: 50 }, (_, n) => [`p${n}@example.com`])]);
    const request = await scratch.request(file, { ...WORKBOOK, maxRows: 10 });
    const report = await scratch.checkRequest(request);
    expect(report).toMatchObject({ verdict: 'refused', problems: [{ code: 'TOO_MANY_ROWS' }] });
    expect((await readFile(request.textPath, 'utf8')).split('\n')).toHaveLength(13);
    expect(await scratch.check(file, { ...WORKBOOK, maxRows: 50 })).toMatchObject({ verdict: 'usable' });
  });

  it('without header has the columns that the input names', async () => {
    const shape: FileShape = { ...WORKBOOK, header: false, columns: ['customer_id'] };
    const request = await scratch.request(await oneSheet([['c-1'], undefined, ['c-2']]), shape);
    expect(await scratch.checkRequest(request)).toMatchObject({ verdict: 'usable', columns: 1 });
    expect(await readFile(request.textPath, 'utf8')).toBe('c-1\n\nc-2\n');
  });

  it('holds the same table as a CSV of the same texts', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.constantFrom('', ' ', '007', '"', ',', '\n', '\r\n', '_x0041_', '_x005F_', '<&>', '\ufeff', "'"),
    );
    const cell = fc.tuple(text, fc.constantFrom('shared', 'inline', 'formula'));
    const width = fc.integer({ min: 1, max: 5 });
    const tables = width.chain((columns) =>
      fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 12 }),
    );
    const toCell = ([value, kind]: [string, string]): TestCell =>
      kind === 'inline' ? inline(value) : kind === 'formula' ? formulaText(value) : value;
    await fc.assert(
      fc.asyncProperty(tables, async (rows) => {
        const columns = rows[0]?.length ?? 1;
        const header = ['Email', ...Array.from({ length: columns - 1 }, (_, index) => `Note ${index}`)];
        const file = await oneSheet([header, ...rows.map((row) => row.map((one) => toCell(one)))]);
        const lines = rows.map((row) => {
          const fields = row.map(([value]) => csvField(value));
          return fields.every((field) => field === '') ? '' : fields.join(',');
        });
        const request = await scratch.request(file, WORKBOOK);
        await scratch.checkRequest(request);
        const table = `${[header.join(','), ...lines].join('\n')}\n`;
        // Blank rows below the last filled one are not there for a spreadsheet.
        const withoutTail = (csv: string) => csv.replace(/\n+$/, '\n');
        expect(withoutTail(await readFile(request.textPath, 'utf8'))).toBe(withoutTail(table));
      }),
      { numRuns: 150 },
    );
  });

  it('may use prefixes, CDATA and cells without references', async () => {
    const parts = partsOf({ sheets: [{ rows: [] }] });
    parts['xl/worksheets/sheet1.xml'] =
      `<x:worksheet xmlns:x="a"><x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>Email</x:t></x:is></x:c><x:c t="str"><x:v>Note</x:v></x:c></x:row><x:row><x:c t="str"><x:v><![CDATA[a@example.com]]></x:v></x:c><x:c t="str"><x:v>${escapeXml('a<b')}</x:v></x:c></x:row></x:sheetData></x:worksheet>`;
    expect(await textOf(await zipOf(parts))).toBe('Email,Note\na@example.com,a<b\n');
  });
});
