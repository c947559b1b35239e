import { describe, expect, it } from '@jest/globals';
import { PartParser } from './part-parser.js';
import { SheetReader, type SheetCell } from './sheet-part.js';
import { ShortcutParser } from './shortcut-parser.js';
import { NumberTexts } from './styles-part.js';

/** Rows of a sheet, or why it is refused; the same with and without the shortcut. */
function rowsOf(sheetData: string, most = Number.POSITIVE_INFINITY) {
  const [slow, fast] = [false, true].map((withShortcut) => {
    const rows: [number, SheetCell[]][] = [];
    const sink = { row: (row: number, cells: readonly SheetCell[]) => rows.push([row, [...cells]]) < most };
    const reader = new SheetReader(new NumberTexts([undefined, '00000', 'yyyy-mm-dd'], false), sink);
    const whole = new PartParser('the sheet', reader);
    const parser = withShortcut ? new ShortcutParser(whole, reader.shortcut) : whole;
    try {
      parser.write(`<worksheet><sheetData>${sheetData}</sheetData></worksheet>`);
      parser.end();
    } catch (error) {
      const { code, message, row, column } = error as Record<string, unknown>;
      return { code, message, row, column };
    }
    return rows;
  });
  expect(fast).toStrictEqual(slow);
  return slow;
}

const row = (cells: string, number = 1) => rowsOf(`<row r="${number}">${cells}</row>`);
const cell = (rest: string) => {
  const rows = row(`<c r="A1" ${rest}</c>`);
  return Array.isArray(rows) ? rows[0]?.[1][0] : rows;
};
const refused = (what: string, where: object = {}) => ({
  code: 'WORKBOOK_DAMAGED',
  message: expect.stringContaining(`The workbook cannot be read: ${what}.`),
  row: null,
  column: null,
  ...where,
});

describe('the cells of a sheet', () => {
  it.each([
    ['a shared string', 't="s"><v>0</v>', 0],
    ['a number', '><v>5.50</v>', '5.5'],
    ['a number with a format', 's="1"><v>75</v>', '00075'],
    ['a number with a style that is not there', 's="9"><v>75</v>', '75'],
    ['true', 't="b"><v>1</v>', 'TRUE'],
    ['true as a word', 't="b"><v>true</v>', 'TRUE'],
    ['false', 't="b"><v>0</v>', 'FALSE'],
    ['an ISO date as it is', 't="d"><v>2021-01-01</v>', '2021-01-01'],
    ['an ISO date with a format', 't="d" s="2"><v>2021-01-01T12:00:00Z</v>', '2021-01-01'],
    ['no date at all', 't="d" s="2"><v>soon</v>', 'soon'],
    ['a text', 't="str"><v>a_x0041_</v>', 'aA'],
    ['a formula with a text', 't="str"><f>B1</f><v>a</v>', 'a'],
    ['a formula with an empty text', 't="str"><f>B1</f><v></v>', undefined],
    ['a formula that was not calculated', '><f>B1</f>', '#CALC!'],
    ['an error', 't="e"><v>#N/A</v>', '#N/A'],
    ['an inline text', 't="inlineStr"><is><t>a</t></is>', 'a'],
    ['an inline text in runs', 't="inlineStr"><is><r><t>a </t></r><r><t>b</t></r></is>', 'a b'],
    ['an inline text that aids reading', 't="inlineStr"><is><t>a</t><rPh><t>b</t></rPh></is>', 'a'],
    ['an inline formula', 't="inlineStr"><f>B1</f>', undefined],
    ['nothing', 't="str">', undefined],
  ])('are read as they are shown: %s', (_, rest, shown) => {
    expect(cell(rest)).toBe(shown);
  });

  it.each([
    ['one', 'a number'],
    ['1 2', 'a number'],
    ['1E999', 'a number'],
    ['-', 'a number'],
  ])('are refused with the number %s', (stored, expected) => {
    const where = { row: 1, column: 'column A' };
    expect(cell(`><v>${stored}</v>`)).toEqual(refused(`column A of row 1 does not hold ${expected}`, where));
  });

  it.each(['-1', '1.5', 'x'])('are refused with the shared string %s', (stored) => {
    const what = 'column A of row 1 does not hold the number of a shared string';
    expect(cell(`t="s"><v>${stored}</v>`)).toEqual(refused(what, { row: 1, column: 'column A' }));
  });

  it('are refused with a type that nobody knows, in the column where they stand', () => {
    expect(row('<c r="AB1" t="z"><v>1</v></c>')).toEqual(
      refused('column AB of row 1 does not hold a type that workbooks know', { row: 1, column: 'column AB' }),
    );
  });

  it('stand where they say, else behind the one before', () => {
    expect(row('<c r="B1"><v>1</v></c><c><v>2</v></c><c r="AA1"><v>3</v></c>')).toStrictEqual([
      [1, [undefined, '1', '2', ...Array<undefined>(23).fill(undefined), '3']],
    ]);
    expect(row('<c><v>1</v></c>')).toStrictEqual([[1, ['1']]]);
    expect(row('<c r="XFD1"><v>1</v></c>')).toHaveProperty('0.1.length', 16_384);
  });

  it.each(['A2', 'A', '1', 'a1', 'A1b', 'A0', 'A1:B1'])('are refused at %s of row 1', (reference) => {
    const what = refused('a cell of row 1 says it stands elsewhere', { row: 1 });
    expect(row(`<c r="${reference}"><v>1</v></c>`)).toEqual(what);
  });

  it.each(['<c r="B1"/><c r="A1"/>', '<c r="A1"/><c r="A1"/>', '<c r="XFE1"/>'])(
    'are refused out of order or behind the last column: %s',
    (cells) => {
      expect(row(cells)).toEqual(refused('the cells of row 1 do not stand in order', { row: 1 }));
    },
  );
});

describe('the rows of a sheet', () => {
  const one = '<c><v>1</v></c>';

  it('have the numbers that they say, else the one behind the row before', () => {
    const rows = `<row>${one}</row><row r="5">${one}</row><row>${one}</row><row r="1048576">${one}</row>`;
    expect(rowsOf(rows)).toStrictEqual([1, 5, 6, 1_048_576].map((number) => [number, ['1']]));
  });

  it('are left out where they hold nothing', () => {
    expect(rowsOf(`<row r="1"></row><row r="2"><c r="A2"/></row><row r="3">${one}</row>`)).toStrictEqual([
      [3, ['1']],
    ]);
  });

  it('are read until it is enough', () => {
    expect(rowsOf(`<row>${one}</row><row>${one}</row><row>${one}</row>`, 2)).toHaveLength(2);
  });

  it.each(['2', '1', '0', '2.5', 'x', '1048577'])('are refused with the number %s behind row 2', (number) => {
    expect(rowsOf(`<row r="2">${one}</row><row r="${number}">${one}</row>`)).toEqual(
      refused('behind row 2 of the sheet stands one without a number of its own'),
    );
  });
});
