import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PartParser, type PartHandler } from './part-parser.js';
import { SharedStringsReader } from './shared-strings.js';
import { SheetReader, type SheetCell } from './sheet-part.js';
import { ShortcutParser } from './shortcut-parser.js';
import { NumberTexts } from './styles-part.js';

/** What a sheet holds, or that it is refused. */
function readSheet(pieces: readonly string[], withShortcut: boolean) {
  const rows: [number, SheetCell[]][] = [];
  const sink = { row: (row: number, cells: readonly SheetCell[]) => rows.push([row, [...cells]]) > 0 };
  const reader = new SheetReader(new NumberTexts([undefined, '00000'], false), sink);
  return outcome(pieces, reader, withShortcut, rows);
}

function readStrings(pieces: readonly string[], withShortcut: boolean) {
  const texts: string[] = [];
  return outcome(pieces, new SharedStringsReader((text) => texts.push(text)), withShortcut, texts);
}

function outcome<T>(pieces: readonly string[], handler: PartHandler, withShortcut: boolean, read: T) {
  const whole = new PartParser('the part', handler);
  const parser = withShortcut && handler.shortcut ? new ShortcutParser(whole, handler.shortcut) : whole;
  try {
    for (const piece of pieces) parser.write(piece);
    parser.end();
  } catch (error) {
    return { refused: (error as { code?: string }).code };
  }
  return { read };
}

function cutAt(text: string, cuts: readonly number[]): string[] {
  const places = cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b);
  return [0, ...places].map((start, index) => text.slice(start, places[index] ?? text.length));
}

const cuts = fc.array(fc.nat(), { maxLength: 6 });

const CELLS = [
  '<c r="A1" t="s"><v>12</v></c>',
  '<c r="A1" s="1"><v>75</v></c>',
  '<c r="A1"><v>5.5E+3</v></c>',
  '<c r="A1" s="1"/>',
  '<c r="A1"></c>',
  '<c s="1" r="A1"><v>1</v></c>',
  '<c r="A1" t="str"><v>a &amp; b</v></c>',
  '<c r="A1" t="str"><v>a > b</v></c>',
  '<c r="A1" t="str"><v>\ufeffé🎉_x0041_</v></c>',
  '<c r="A1" t="str"><f>A2</f><v>x</v></c>',
  '<c r="A1" t="inlineStr"><is><t>y</t></is></c>',
  '<c r="A1" t="e"><v>#N/A</v></c>',
  '<c\tr="A1"><v>1</v></c>',
  '<c r="A1" t="str"><v>a\r\nb</v></c>',
  '<!-- <c r="A1"><v>1</v></c> -->',
  '<![CDATA[<c r="A1"><v>1</v></c>]]>',
  '<?x <c r="A1"><v>1</v></c> ?>',
  '<v><c r="A1"><v>1</v></c></v>',
  '<c r="A1"><v>1</v>',
  '<c r="A1"><v>x</v></c>',
  '<c r="A1" t="str"><v>a\u0001</v></c>',
  '<c r="A1"',
  '</c>',
];

describe('elements that are read at one stroke', () => {
  it('say what a parser reads of them, however the sheet is cut into pieces', () => {
    // Mostly sound cells, so that most sheets are read to their end.
    const cell = fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...CELLS.slice(0, 14)) },
      { weight: 1, arbitrary: fc.constantFrom(...CELLS) },
    );
    const rows = fc.array(fc.array(cell, { maxLength: 5 }), { maxLength: 5 });
    let read = 0;
    fc.assert(
      fc.property(rows, cuts, (table, places) => {
        const inside = table.map((cells, row) => {
          const placed = cells.map((one, column) => one.replaceAll('A1', `${'ABCDE'[column]}${row + 1}`));
          return `<row r="${row + 1}">${placed.join('')}</row>`;
        });
        const sheet = `<?xml version="1.0"?><worksheet><sheetData>${inside.join('')}</sheetData></worksheet>`;
        const slow = readSheet([sheet], false);
        if ('read' in slow) read += 1;
        expect(readSheet(cutAt(sheet, places), true)).toEqual(slow);
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(200);
  });

  it('are the shared strings that a parser reads, however they are cut into pieces', () => {
    const item = fc.constantFrom(
      '<si><t>plain</t></si>',
      '<si><t xml:space="preserve"> a </t></si>',
      '<si><t>a &lt; b</t></si>',
      '<si><t/></si>',
      '<si/>',
      '<si><r><t>rich </t></r><r><t>text</t></r></si>',
      '<si><t>漢字</t><rPh sb="0" eb="1"><t>カン</t></rPh></si>',
      '<si><t>_x005F_x0041_ 🎉</t></si>',
      '<si><t>two\nlines</t></si>',
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 12 }), cuts, (items, places) => {
        const part = `<sst>${items.join('')}</sst>`;
        const slow = readStrings([part], false);
        expect(slow).toMatchObject({ read: expect.any(Array) });
        expect(readStrings(cutAt(part, places), true)).toEqual(slow);
        expect('read' in slow && slow.read).toHaveLength(items.length);
      }),
      { numRuns: 500 },
    );
  });

  it('that never end are handed to the parser', () => {
    const piece = `<c r="A1" t="str"><v>${'x'.repeat(100_000)}`;
    const sheet = [
      '<worksheet><sheetData><row r="1">',
      piece,
      'y'.repeat(100_000),
      'z</v></c></row></sheetData>',
      '</worksheet>',
    ];
    expect(readSheet(sheet, true)).toEqual(readSheet([sheet.join('')], false));
    expect(readSheet(sheet, true)).toMatchObject({
      read: [[1, [expect.stringMatching(/^x{100000}y{100000}z$/)]]],
    });
  });
});
