import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PlainCheck } from './plain-check.js';
import { fieldTexts, RecordScanner, type QuoteFault } from './record-scanner.js';
import { TabSeparatedWriter } from './tab-separated.js';

interface Scan {
  records: string[][];
  /** [row, line] of each record. */
  places: [row: number, line: number][];
  fault: QuoteFault | undefined;
}

function scan(text: string, chunkBytes = 1000, delimiter = ','): Scan {
  const records: string[][] = [];
  const places: [number, number][] = [];
  const scanner = new RecordScanner(delimiter.charCodeAt(0), (record) => {
    records.push(fieldTexts(record));
    places.push([record.row, record.line]);
  });
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    scanner.push(bytes.subarray(start, start + chunkBytes));
  }
  scanner.end();
  return { records, places, fault: scanner.fault };
}

describe('records', () => {
  it.each<[string, string, string[][]]>([
    ['end with LF, CRLF and CR alike', 'a\nb\r\nc\rd', [['a'], ['b'], ['c'], ['d']]],
    [
      'may lack the last line end',
      'a,b\nc,',
      [
        ['a', 'b'],
        ['c', ''],
      ],
    ],
    ['hold delimiters, newlines and quotes in quotes', '"a,b","c\r\nd","e""f"', [['a,b', 'c\r\nd', 'e"f']]],
    ['hold quotes as text in unquoted fields', 'a"b,"c"\n', [['a"b', 'c']]],
    ['may have white space behind a closing quote', '"a" ,"b"\t\n', [['a', 'b']]],
    ['keep white space elsewhere', ' a , "b"\n', [[' a ', ' "b"']]],
    ['may be blank', 'a\n\n""\nb\n', [['a'], [''], [''], ['b']]],
    ['are none in an empty file', '', []],
  ])('%s', (_, text, records) => {
    expect(scan(text)).toMatchObject({ records, fault: undefined });
  });

  it('know their number and their line', () => {
    expect(scan('a\n"b\nc\n"\n\nd\r\ne').places).toEqual([
      [1, 1],
      [2, 2],
      [3, 5],
      [4, 6],
      [5, 7],
    ]);
  });

  it.each<[string, QuoteFault]>([
    ['a\n"b\nc', { code: 'UNCLOSED_QUOTE', row: 2, line: 2 }],
    ['a\n"x\ny","b\nc', { code: 'UNCLOSED_QUOTE', row: 2, line: 3 }],
    ['"a"b\nc\n', { code: 'BAD_QUOTE', row: 1, line: 1 }],
    ['"a" "b"\n', { code: 'BAD_QUOTE', row: 1, line: 1 }],
  ])('stop at a quote gone wrong: %j', (text, fault) => {
    expect(scan(text).fault).toEqual(fault);
  });

  const pieces = fc.array(
    fc.constantFrom('a', 'é', '"', '""', ',', '\n', '\r', '\r\n', ' ', '\t', '\0', '","'),
  );

  it('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 5 }), (parts, chunkBytes) => {
        expect(scan(parts.join(''), chunkBytes)).toEqual(scan(parts.join('')));
      }),
    );
  });

  it('of a file found plain are its lines, split at the delimiter', () => {
    let found = 0;
    const tame = fc.constantFrom('a,b\n', 'é,c\r\n', 'd\n', '\n', 'e', ',');
    const wild = fc.constantFrom('"', '\0', '\r', 'a,b,c\n', '\r\n');
    const lines = fc.array(fc.oneof({ weight: 9, arbitrary: tame }, { weight: 1, arbitrary: wild }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        lines,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 5 }),
        (parts, columns, cut) => {
          const text = parts.join('');
          const check = new PlainCheck({ delimiter: 0x2c, columns });
          const bytes = Buffer.from(text);
          for (let start = 0; start < bytes.length; start += cut)
            check.push(bytes.subarray(start, start + cut));
          check.end();
          const records = text
            .replace(/\r?\n$/, '')
            .split(/\r?\n/)
            .map((line) => line.split(','));
          const isPlain =
            !/["\0]|\r(?!\n)/.test(text) && records.every((record) => record.length === columns);
          expect(check.plain).toBe(isPlain || text === '');
          if (!check.plain || text === '') return;
          found += 1;
          expect(scan(text).records).toEqual(records);
        },
      ),
      { numRuns: 1000 },
    );
    expect(found).toBeGreaterThan(20);
  });
});

describe('lines', () => {
  const plain = (text: string, maxLines: number, columns: number) => {
    const check = new PlainCheck({ delimiter: 0x2c, columns, maxLines });
    for (const chunk of text.match(/.{1,3}/gs) ?? []) check.push(Buffer.from(chunk));
    check.end();
    return check.plain;
  };

  it.each([
    ['a\nb\nc\n', 1],
    ['a\n\nb\n\nc', 1],
    ['a,b\nc,d\ne,f\n', 2],
    ['a,b\nc,d\ne,f', 2],
  ])('of %j are three', (text, columns) => {
    expect(plain(text, 3, columns)).toBe(true);
    expect(plain(text, 2, columns)).toBe(false);
  });
});

describe('records written for the engine', () => {
  const piecesOf = (text: string, pieceBytes?: number): Buffer[] => {
    const written: Buffer[] = [];
    const writer = new TabSeparatedWriter((piece) => written.push(Buffer.from(piece)), pieceBytes);
    const scanner = new RecordScanner(0x2c, (record) => writer.append(record));
    scanner.push(Buffer.from(text));
    scanner.end();
    writer.flush();
    return written;
  };
  const write = (text: string): Buffer => Buffer.concat(piecesOf(text));

  it('have tabs, line ends and backslashes escaped, and a BOM at the start', () => {
    expect(write('"a\tb","c\r\nd",\\N\n').toString()).toBe('a\\tb\tc\\r\\nd\t\\\\N\n');
    const [, ...rest] = Buffer.from('\ufeffa\n\ufeffa\n');
    expect(write('\ufeffa\n\ufeffa\n')).toEqual(Buffer.from([...Buffer.from('\\xEF'), ...rest]));
  });

  it('are whole whatever the size of the pieces, of which none is empty and only a long record exceeds it', () => {
    const field = fc.string({ unit: fc.constantFrom('a', 'é', '\t', '\\', '\ufeff'), maxLength: 6 });
    const records = fc.array(fc.array(field, { minLength: 1, maxLength: 12 }), { maxLength: 5 });
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 60 }), (rows, pieceBytes) => {
        const written = piecesOf(rows.map((row) => `"${row.join('","')}"\n`).join(''), pieceBytes);
        const lines = rows
          .map(
            (row) =>
              `${row.join('\0').replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\0', '\t')}\n`,
          )
          .join('');
        const bytes = Buffer.from(lines);
        const expected = lines.startsWith('\ufeff')
          ? Buffer.concat([Buffer.from('\\xEF'), bytes.subarray(1)])
          : bytes;
        expect(Buffer.concat(written)).toEqual(expected);
        for (const piece of written) {
          expect(piece.length).toBeGreaterThan(0);
          if (piece.length > pieceBytes) expect(piece.indexOf('\n')).toBe(piece.length - 1);
        }
      }),
    );
  });

  it('are handed on together where they fit into one piece', () => {
    expect(piecesOf('a,b\nc,d\ne,f\n').map(String)).toEqual(['a\tb\nc\td\ne\tf\n']);
    expect(piecesOf('a,b\nc,d\ne,f\n', 16).map(String)).toEqual(['a\tb\nc\td\n', 'e\tf\n']);
  });
});
