import { describe, expect, it } from '@jest/globals';
import { MAX_RECORD_BYTES } from './limits.js';
import { PlainCheck, type PlainShape } from './plain-check.js';
import { fieldTexts, RecordScanner } from './record-scanner.js';

interface Seen {
  row: number;
  line: number;
  count: number;
  tooLong: boolean;
  isBlank: boolean;
  hasNul: boolean;
  lineEnded: boolean;
}

/** What is said of each record of a file that comes in these chunks. */
function scan(...chunks: string[]): Seen[] {
  const seen: Seen[] = [];
  const scanner = new RecordScanner(0x2c, ({ row, line, count, tooLong, isBlank, hasNul, lineEnded }) =>
    seen.push({ row, line, count, tooLong, isBlank, hasNul, lineEnded }),
  );
  for (const chunk of chunks) scanner.push(Buffer.from(chunk));
  scanner.end();
  return seen;
}

const filled = (bytes: number) => 'x'.repeat(bytes);
const HALF = MAX_RECORD_BYTES / 2;

describe('a record', () => {
  it.each<[string, string[]]>([
    ['one field', [filled(MAX_RECORD_BYTES)]],
    ['delimiters, which count', [`${filled(MAX_RECORD_BYTES - 2)},,`]],
    ['delimiters alone', [','.repeat(MAX_RECORD_BYTES)]],
    ['several chunks', [filled(HALF), filled(HALF)]],
  ])('may be of 1 MiB, and of no byte more: %s', (_, chunks) => {
    const tooLong = (end: string) => scan('a\n', ...chunks, end, 'b\n').map((record) => record.tooLong);
    expect(tooLong('\n')).toEqual([false, false, false]);
    expect(tooLong('x\n')).toEqual([false, true, false]);
  });

  it('that is too long is counted, with its lines, and leaves the next one alone', () => {
    const records = scan(`"${filled(HALF)}\n`, filled(HALF), '\n', filled(HALF), '",\n', 'b,c\n');
    expect(records).toMatchObject([
      { row: 1, line: 1, count: 2, tooLong: true },
      { row: 2, line: 4, count: 2, tooLong: false },
    ]);
  });

  it('that is too long stays so, whatever short field it ends with', () => {
    const [record] = scan(filled(MAX_RECORD_BYTES), 'x', ' ', '\n');
    expect(record).toMatchObject({ tooLong: true, isBlank: false });
  });

  it('without end takes no more memory than the longest one allowed, and a chunk', () => {
    const scanner = new RecordScanner(0x2c, () => undefined);
    for (const chunk of [filled(HALF), ','.repeat(HALF)]) {
      for (let count = 0; count < 8; count++) scanner.push(Buffer.from(chunk));
    }
    expect(scanner.bytes.length).toBeLessThanOrEqual(2 * MAX_RECORD_BYTES);
    expect(scanner.ends.length).toBeLessThanOrEqual(2 * MAX_RECORD_BYTES);
    expect(scanner.tooLong).toBe(true);
  });

  it('keeps its fields when there are many, and when a later chunk makes it longer', () => {
    const fields = Array.from({ length: 300 }, (_, index) => `field ${index}`);
    const text = fields.join(',');
    let read: string[] = [];
    const scanner = new RecordScanner(0x2c, (record) => {
      read = fieldTexts(record);
    });
    for (const part of [text.slice(0, 1000), text.slice(1000), '\n']) scanner.push(Buffer.from(part));
    expect(read).toEqual(fields);
  });

  it.each(['', ' ', '\t', ' \v\f', '""', '"\r\n"', '"" '])('of %j is blank', (text) => {
    expect(scan(`long before\n${text}\n`)[1]?.isBlank).toBe(true);
  });

  it.each(['a', ' a', ',', ' , ', '\b', '\x0e', '\0', '!', '""""'])('of %j is not blank', (text) => {
    expect(scan(`${text}\n`)[0]?.isBlank).toBe(false);
  });

  it.each(['\0', 'a\0b', 'a\0', '"\0"', '"a\0b"', 'a,\0', '"a""\0"'])(
    'of %j holds a NUL, as text',
    (text) => {
      expect(scan('a\n', `${text}\n`, '"b"\n').map((record) => record.hasNul)).toEqual([false, true, false]);
      let read = '';
      const scanner = new RecordScanner(0x2c, (record) => {
        read = fieldTexts(record).join(',');
      });
      scanner.push(Buffer.from(`${text}\n`));
      expect(read).toBe(text.replace(/^"|"$/g, '').replace('""', '"'));
    },
  );

  it('may end with any line end behind a quote, and the last one with none', () => {
    const ended = (text: string) => scan(text).map((record) => record.lineEnded);
    expect(ended('"a"\r\n"b"\r"c"\n')).toEqual([true, true, true]);
    expect(ended('a\n"b"')).toEqual([true, false]);
  });

  it('is none any more behind a quote gone wrong, in this chunk and in later ones', () => {
    expect(scan('a\n"b"c\nd\n', 'e\n', 'f')).toHaveLength(1);
  });
});

describe('a plain file', () => {
  const isPlain = (shape: Omit<PlainShape, 'delimiter'>, ...chunks: string[]) => {
    const check = new PlainCheck({ delimiter: 0x2c, ...shape });
    for (const chunk of chunks) check.push(Buffer.from(chunk));
    check.end();
    return check.plain;
  };

  describe.each<[string, Omit<PlainShape, 'delimiter'>, string]>([
    ['one column', { columns: 1 }, ''],
    ['one column and lines that count', { columns: 1, maxLines: 9 }, ''],
    ['two columns', { columns: 2 }, ','],
  ])('of %s', (_, shape, comma) => {
    const longest = `${comma}${filled(MAX_RECORD_BYTES - comma.length)}`;

    it.each<[string, string[], string[]]>([
      ['that ends in the next chunk', [], ['\n']],
      ['behind others', [`${comma}a\n`, `${comma}b\n`], ['\n', `${comma}c\n`]],
      ['at the end of the file', [`${comma}a\n`], []],
    ])('may have a line of 1 MiB, and of no byte more: %s', (__, before, after) => {
      expect(isPlain(shape, ...before, longest, ...after)).toBe(true);
      expect(isPlain(shape, ...before, longest, 'x', ...after)).toBe(false);
      expect(isPlain(shape, ...before, longest, `x${after.join('')}`)).toBe(false);
    });

    it('may have a line of 1 MiB over three chunks, the first of which ends another', () => {
      const start = `${comma}${filled(100)}`;
      const rest = filled(MAX_RECORD_BYTES - start.length - 10);
      expect(isPlain(shape, `${comma}a\n${comma}b\n${start}`, rest, `${filled(10)}\n${comma}c\n`)).toBe(true);
      expect(isPlain(shape, `${comma}a\n${comma}b\n${start}`, rest, `${filled(11)}\n${comma}c\n`)).toBe(
        false,
      );
    });

    it('may be longer than 1 MiB where its lines are not', () => {
      const lines = `${comma}${filled(HALF)}\n`;
      expect(isPlain(shape, lines, lines, lines, lines)).toBe(true);
    });
  });

  it('of one column comes in chunks of up to 1 MiB, or is looked at closely', () => {
    const lines = 'a\n'.repeat(HALF);
    expect(isPlain({ columns: 1 }, lines)).toBe(true);
    expect(isPlain({ columns: 1 }, `${lines}\n`)).toBe(false);
  });
});
