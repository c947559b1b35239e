import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { IDS_ONLY, Scratch, WITH_HEADER } from './scratch.suite.js';

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.open();
});
afterAll(() => scratch.close());

const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const WIDE = 'customer_id,email\n';
/** "name" and three Russian given names in Windows-1251. */
const CYRILLIC = Buffer.from('name\n\xcc\xe0\xf0\xe8\xff\n\xce\xeb\xfc\xe3\xe0\n\xdf\xed\n', 'latin1');
const JAPANESE = Buffer.concat([
  Buffer.from('user_id\n'),
  // "Yamada Taro" and "Sato Hanako" in Shift_JIS.
  Buffer.from('8e52936391be9859', 'hex'),
  Buffer.from('\n'),
  Buffer.from('8db293a189d48e71', 'hex'),
]);

describe('a file is refused as a whole:', () => {
  it.each([
    ['empty', '', WITH_HEADER, 'EMPTY_FILE', '0 bytes'],
    ['a byte order mark alone', '\ufeff', WITH_HEADER, 'EMPTY_FILE', 'blank'],
    ['blank lines alone', '\n\r\n\n', WITH_HEADER, 'EMPTY_FILE', 'blank'],
    ['blank lines alone, ids', '\n \n', IDS_ONLY, 'EMPTY_FILE', 'one id a line'],
    ['header only', 'email\n', WITH_HEADER, 'NO_DATA_ROWS', 'no record'],
    ['header and blank lines', 'email\n\n\n', WITH_HEADER, 'NO_DATA_ROWS', 'no record'],
    ['no header', 'a@example.com\nb@example.com\n', WITH_HEADER, 'NO_HEADER', 'column names'],
    ['wrong header', 'Fist Name,Colour\nAnn,red\n', WITH_HEADER, 'NO_USABLE_COMBINATION', 'First Name'],
    ['duplicate header', 'email,EMAIL\na@example.com,b\n', WITH_HEADER, 'DUPLICATE_HEADER', 'same name'],
    ['ids with two columns', 'a,1\nb,2\nc,3\n', IDS_ONLY, 'TOO_MANY_COLUMNS', 'one id a line'],
    ['ids with two columns by semicolon', 'a;1\nb;2\n', IDS_ONLY, 'TOO_MANY_COLUMNS', 'one id a line'],
    ['not one readable record', `${WIDE}1\n2\n`, WITH_HEADER, 'NO_USABLE_ROWS', 'Not one record'],
    ['ZIP renamed', 'PK\x03\x04rest', WITH_HEADER, 'NOT_A_TEXT_FILE', 'ZIP archive'],
    ['XLSX renamed', 'PK\x03\x04\0\0[Content_Types].xml', IDS_ONLY, 'NOT_A_TEXT_FILE', 'Excel workbook'],
    ['gzip renamed', gzipSync('email\n'), WITH_HEADER, 'NOT_A_TEXT_FILE', 'gzip'],
    ['PDF renamed', '%PDF-1.7\n', IDS_ONLY, 'NOT_A_TEXT_FILE', 'PDF'],
    ['error page', '<!DOCTYPE html><html></html>', IDS_ONLY, 'NOT_A_CSV_FILE', 'error page'],
    ['NULs all over', Buffer.alloc(1000), IDS_ONLY, 'NOT_A_TEXT_FILE', 'NUL'],
    ['UTF-16 ids', utf16('\ufeffa\nb\n'), IDS_ONLY, 'ENCODING_NOT_UTF8', 'UTF-16'],
    ['UTF-16 ids without mark', utf16('alpha\nbeta\n'), IDS_ONLY, 'ENCODING_NOT_UTF8', 'UTF-16'],
    ['UTF-32', Buffer.from('fffe000061000000', 'hex'), WITH_HEADER, 'ENCODING_UNKNOWN', 'UTF-32'],
    [
      'Shift_JIS ids',
      JAPANESE,
      IDS_ONLY,
      'ENCODING_NOT_UTF8',
      'byte 8 is the first that does not fit. It seems to be Shift_JIS',
    ],
    ['Shift_JIS', JAPANESE, WITH_HEADER, 'ENCODING_UNKNOWN', 'Shift_JIS'],
    ['Windows-1252 ids', Buffer.from('ab\xe9cd\n', 'latin1'), IDS_ONLY, 'ENCODING_NOT_UTF8', 'byte 2 is'],
    ['Cyrillic', CYRILLIC, WITH_HEADER, 'ENCODING_UNKNOWN', 'another script'],
    [
      'damaged UTF-8',
      Buffer.from('email\n\xc3\xa9a \xe9 b\n', 'latin1'),
      WITH_HEADER,
      'ENCODING_UNKNOWN',
      'byte 10 is',
    ],
    [
      'bytes of no encoding',
      Buffer.from('email\na \x81 b\n', 'latin1'),
      WITH_HEADER,
      'ENCODING_UNKNOWN',
      'at byte 8 there is byte 0x81',
    ],
    [
      'half a character',
      Buffer.concat([utf16('\ufeffemail\na@example.com'), Buffer.from('a')]),
      WITH_HEADER,
      'ENCODING_UNKNOWN',
      'half of a character',
    ],
    ['too large', 'email\n', { ...WITH_HEADER, maxBytes: 5 }, 'FILE_TOO_LARGE', 'at most 5'],
    ['too many rows', 'email\na\nb\nc\n', { ...WITH_HEADER, maxRows: 2 }, 'TOO_MANY_ROWS', 'more than the 2'],
    [
      'too many rows, two columns',
      `${WIDE}1,a\n2,b\n3,c`,
      { ...WITH_HEADER, maxRows: 2 },
      'TOO_MANY_ROWS',
      'more than the 2',
    ],
    ['a header of 2 MB', `${'x'.repeat(2e6)}\n1\n`, WITH_HEADER, 'ROW_TOO_LONG', 'header line'],
  ])('%s', async (_, content, shape, code, words) => {
    const report = await scratch.check(content, shape);
    if (report.verdict === 'usable') throw new Error('was usable');
    expect(report.problems[0]).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  it.each([
    ['never closed', '1,"a\n2,b\n3,c\n', 'UNCLOSED_QUOTE', 3, 3],
    ['closed by the next one', '1,"a\n2,"b"\n', 'BAD_QUOTE', 3, 3],
    ['followed by text', '1,"x\ny"\n2,"b"c\n', 'BAD_QUOTE', 4, 5],
  ])('a quote %s, with the row and line where it opened', async (_, rows, code, row, line) => {
    const report = await scratch.check(`${WIDE}0,z\n${rows}`, WITH_HEADER);
    expect(report).toMatchObject({ verdict: 'refused', problems: [{ code, row, line }] });
  });

  it('with every problem: header, quote and ragged rows', async () => {
    const report = await scratch.check('email,email,\n1\na,b,c\n1,2,3,4\nx,"', WITH_HEADER);
    if (report.verdict === 'usable') throw new Error('was usable');
    expect(report.problems.map(({ code, row }) => [code, row])).toEqual([
      ['UNCLOSED_QUOTE', 5],
      ['DUPLICATE_HEADER', 1],
      ['EMPTY_HEADER', 1],
      ['TOO_FEW_COLUMNS', 2],
      ['TOO_MANY_COLUMNS', 4],
    ]);
  });

  it('and lists no more than 1,000 problems', async () => {
    const report = await scratch.check('a,b\n'.repeat(1500), IDS_ONLY);
    if (report.verdict === 'usable') throw new Error('was usable');
    expect(report.problems).toHaveLength(1000);
  });
});

describe('a file is usable', () => {
  it('although some records are not: they are counted, listed and written', async () => {
    const long = 'x'.repeat(2 ** 20);
    const rows = ['1,a', '2', '3,c,d', `4,${long}`, '5,n\0n', '', '6,f'];
    const report = await scratch.usable(`${WIDE}${rows.join('\n')}\n`, WITH_HEADER);
    expect(report.rejectedByReason).toEqual({
      TOO_FEW_COLUMNS: 1,
      TOO_MANY_COLUMNS: 1,
      ROW_TOO_LONG: 1,
      NUL_BYTE: 1,
    });
    expect(report.rejected).toBe(4);
    expect(report.problems.map(({ row }) => row)).toEqual([3, 4, 5, 6]);
    expect(await scratch.clean()).toBe('1\ta\n6\tf\n');
    const lines = await scratch.rejects();
    expect(lines.map((line) => line.split(',').slice(0, 3))).toEqual([
      ['3', '', 'TOO_FEW_COLUMNS'],
      ['4', '', 'TOO_MANY_COLUMNS'],
      ['5', '', 'ROW_TOO_LONG'],
      ['6', '', 'NUL_BYTE'],
    ]);
    expect((await readFile((await scratch.request('', WITH_HEADER)).rejectsPath)).length).toBe(
      report.rejectsBytes,
    );
  });

  it.each(['email\nab\0c\nd\n', 'email\nd\n\0\n', 'email\nd\n\0\0e\0\n'])(
    'with few NUL bytes in a small file: %j',
    async (content) => {
      expect(await scratch.usable(content, WITH_HEADER)).toMatchObject({ rejectedByReason: { NUL_BYTE: 1 } });
    },
  );

  it('with a line of 10 MB in it', async () => {
    const report = await scratch.usable(`good1\n${'x'.repeat(1e7)}\ngood2\n`, IDS_ONLY);
    expect(report.rejectedByReason).toEqual({ ROW_TOO_LONG: 1 });
    expect(await scratch.clean()).toBe('good1\ngood2\n');
  });

  it('with a record of exactly 1 MiB, but not of one byte more', async () => {
    const longest = 'x'.repeat(2 ** 20);
    expect(await scratch.usable(`a\n${longest}\n`, IDS_ONLY)).toMatchObject({
      rejected: 0,
      engine: { format: 'LineAsString' },
    });
    expect(await scratch.usable(`a\n${longest}y\n`, IDS_ONLY)).toMatchObject({ rejected: 1 });
    expect(await scratch.usable(`a\n${longest}\r\n`, IDS_ONLY)).toMatchObject({ rejected: 0 });
  });

  it('with stray rows of ids: ids holding | or ; are ids', async () => {
    const report = await scratch.usable('auth|1\nb;2\nc,3\nd\n', IDS_ONLY);
    expect(report.problems).toMatchObject([{ row: 3, code: 'TOO_MANY_COLUMNS' }]);
  });

  it.each([',', ';', '\t', '|'])('with the delimiter %j, quoted ones inside', async (delimiter) => {
    const report = await scratch.usable(
      `email${delimiter}note\na@example.com${delimiter}"x${delimiter}y"\n`,
      WITH_HEADER,
    );
    expect(report).toMatchObject({ delimiter, columns: 2, rejected: 0 });
  });

  it.each([',', ';', '\t', '|'])('without header and with the delimiter %j', async (delimiter) => {
    const rows = ['1,a@example.com', '2', '3,c@example.com'].map((row) => row.replace(',', delimiter));
    const shape = { ...WITH_HEADER, header: false, columns: ['customer_id', 'email'] };
    expect(await scratch.usable(rows.join('\n'), shape)).toMatchObject({ delimiter, rejected: 1 });
  });

  it('with a header that holds another delimiter: the one that makes known columns counts', async () => {
    const report = await scratch.usable('Email|City, State, Land\na@example.com|x\n', WITH_HEADER);
    expect(report).toMatchObject({ delimiter: '|', columns: 2 });
  });

  it.each([
    [
      'Windows-1252',
      Buffer.from('last_name;email\nO\x92Brien \xe9\x80;a@example.com\n', 'latin1'),
      'windows-1252',
    ],
    ['UTF-16 LE', utf16('\ufefflast_name;email\nO’Brien é€;a@example.com\n'), 'utf-16le'],
    ['UTF-16 BE', utf16('\ufefflast_name;email\nO’Brien é€;a@example.com\n').swap16(), 'utf-16be'],
    ['UTF-16 LE without mark', utf16('last_name;email\nO’Brien é€;a@example.com\n'), 'utf-16le'],
    ['UTF-16 BE without mark', utf16('last_name;email\nO’Brien é€;a@example.com\n').swap16(), 'utf-16be'],
    ['UTF-8 with mark', '\ufefflast_name;email\r\nO’Brien é€;a@example.com\r\n', 'utf-8'],
  ])('in %s', async (_, content, encoding) => {
    expect(await scratch.usable(content, WITH_HEADER)).toMatchObject({ encoding, rejected: 0 });
    expect(await scratch.clean()).toBe('O’Brien é€\ta@example.com\n');
  });

  it.each([
    ['short last record', `${WIDE}1,a\n2`, true],
    ['whole last record', `${WIDE}1,a\n2,b`, false],
    ['short last record with line end', `${WIDE}1,a\n2\n`, false],
    ['short record before the last', `${WIDE}1\n2,b`, false],
    ['one column', 'email\na@example.com\nb@e', false],
  ])('and says whether it ends inside a record: %s', async (_, content, endsMidRecord) => {
    expect(await scratch.usable(content, WITH_HEADER)).toMatchObject({ endsMidRecord });
  });

  it('with a hint for a header that is nearly known', async () => {
    const report = await scratch.usable('email,Fist Name\na@example.com,Ann\n', WITH_HEADER);
    expect(report.hints).toEqual([{ columnNumber: 2, header: 'Fist Name', suggestion: 'First Name' }]);
  });
});

it('A system error keeps its code', async () => {
  const request = await scratch.request('email\n', WITH_HEADER);
  await expect(scratch.checkRequest({ ...request, path: `${request.path}-gone` })).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

it.each(['', '"', '\n', ',,', 'é'])('The delimiter %j is refused', async (delimiter) => {
  const request = await scratch.request('email\n', WITH_HEADER);
  await expect(scratch.checkRequest({ ...request, delimiter })).rejects.toThrow(RangeError);
});
