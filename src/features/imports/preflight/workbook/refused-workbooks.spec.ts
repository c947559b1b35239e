import { readdir } from 'node:fs/promises';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partsOf, workbookOf, zipOf, type Parts } from '../../../../../test/support/workbook.js';
import { WORKBOOK_LIMITS, type WorkbookLimits } from '../../../../domain/workbooks/index.js';
import type { FileShape } from '../../../../kit/index.js';
import { Scratch, WITH_HEADER } from '../scratch.suite.js';
import { convertWorkbook } from './convert-workbook.js';

const WORKBOOK: FileShape = { ...WITH_HEADER, format: 'xlsx' };
const SHEET = 'xl/worksheets/sheet1.xml';
const PEOPLE = { sheets: [{ rows: [['Email'], ['a@example.com']] }] };

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.open();
});
afterAll(() => scratch.close());

/** Code and message of the one problem; fails where the file is usable. */
async function refusalOf(file: Buffer | string, shape = WORKBOOK) {
  const report = await scratch.check(file, shape);
  if (report.verdict === 'usable') throw new Error('The file is usable.');
  expect(report.problems).toHaveLength(1);
  return report.problems[0];
}

const withParts = (change: (parts: Parts) => void) => {
  const parts = partsOf(PEOPLE);
  change(parts);
  return zipOf(parts);
};
const withSheet = (data: string) =>
  withParts((parts) => {
    parts[SHEET] = `<worksheet><sheetData>${data}</sheetData></worksheet>`;
  });

/** A compound file (MS-CFB) whose directory is its second sector and names `stream`. */
function compoundFile(stream: string): Buffer {
  const file = Buffer.alloc(2048);
  file.write('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'latin1');
  file.writeUInt16LE(9, 30);
  file.writeUInt32LE(1, 48);
  file.write(stream, 1024 + 128, 'utf16le');
  return file;
}

describe('a file that is no workbook is refused by what it is', () => {
  it.each([
    ['CSV named .xlsx', 'Email\na@example.com\n', 'NOT_A_WORKBOOK', 'Name a CSV file .csv'],
    ['nothing', '', 'EMPTY_FILE', '0 bytes'],
    ['PDF', '%PDF-1.7\n', 'NOT_A_WORKBOOK', 'a PDF document'],
    ['an error page', '<html><body>404', 'NOT_A_WORKBOOK', 'an HTML or XML document'],
    ['an old workbook', compoundFile('Workbook'), 'NOT_A_WORKBOOK', 'old Excel'],
    [
      'a workbook with a password',
      compoundFile('EncryptedPackage'),
      'WORKBOOK_ENCRYPTED',
      'Remove the password',
    ],
    ['half a header of an old one', compoundFile('').subarray(0, 40), 'NOT_A_WORKBOOK', 'old Excel'],
  ])('%s', async (_what, file, code, message) => {
    expect(await refusalOf(file)).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('and a workbook named .csv as well', async () => {
    const problem = await refusalOf(await workbookOf(PEOPLE), WITH_HEADER);
    expect(problem).toMatchObject({
      code: 'NOT_A_TEXT_FILE',
      message: expect.stringContaining('Excel workbook'),
    });
  });
});

describe('a damaged workbook is refused, and says where', () => {
  it.each<[string, () => Promise<Buffer>, string]>([
    ['a cut archive', async () => (await workbookOf(PEOPLE)).subarray(0, -40), 'incomplete or damaged'],
    ['a cut beginning', async () => Buffer.from('PK\x03\x04'), 'incomplete or damaged'],
    ['any other archive', () => zipOf({ 'people.csv': 'Email\n' }), 'the list of its parts is missing'],
    ['a missing sheet', () => withParts((parts) => delete parts[SHEET]), 'the sheet is missing'],
    [
      'missing texts',
      () => withParts((parts) => delete parts['xl/sharedStrings.xml']),
      'shared strings part is missing',
    ],
    [
      'a text that is not there',
      () => withSheet('<row r="7"><c r="C7" t="s"><v>9</v></c></row>'),
      'column C of row 7',
    ],
    [
      'a number that is none',
      () => withSheet('<row r="2"><c r="B2"><v>x</v></c></row>'),
      'column B of row 2',
    ],
    [
      'an unknown type',
      () => withSheet('<row r="2"><c r="B2" t="q"><v>1</v></c></row>'),
      'column B of row 2',
    ],
    ['rows out of order', () => withSheet('<row r="2"/><row r="1"/>'), 'behind row 2'],
    ['rows beyond Excel', () => withSheet('<row r="1048577"/>'), 'behind row 0'],
    [
      'cells out of order',
      () => withSheet('<row r="1"><c r="B1"/><c r="A1"/></row>'),
      'row 1 do not stand in order',
    ],
    [
      'columns beyond Excel',
      () => withSheet('<row r="1"><c r="XFE1"/></row>'),
      'row 1 do not stand in order',
    ],
    ['a cell of another row', () => withSheet('<row r="1"><c r="A2"/></row>'), 'says it stands elsewhere'],
    ['a tag that is not closed', () => withSheet('<row r="1"><c>'), 'the sheet is no well-formed XML'],
    [
      'an unknown entity',
      () => withSheet('<row r="1"><c t="str"><v>&who;</v></c></row>'),
      'no well-formed XML',
    ],
    [
      'bytes that are no text',
      () => withParts((parts) => void (parts[SHEET] = Buffer.from('<a>\xff</a>', 'latin1'))),
      'no text',
    ],
    [
      'entities of its own',
      () =>
        withParts((parts) => {
          parts[SHEET] =
            `<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row r="1"><c t="str"><v>&a;</v></c></row></sheetData></worksheet>`;
        }),
      'DOCTYPE',
    ],
    ['elements without end', () => withSheet('<x>'.repeat(1000)), 'nests its elements without end'],
    [
      'an encoding that is none',
      () => withParts((parts) => void (parts[SHEET] = '<?xml version="1.0" encoding="KOI8-R"?><a/>')),
      'encoding',
    ],
    [
      'no visible sheet',
      () => workbookOf({ sheets: [{ rows: [['Email']], state: 'hidden' }] }),
      'no visible sheet',
    ],
  ])('%s', async (_what, make, message) => {
    expect(await refusalOf(await make())).toMatchObject({
      code: 'WORKBOOK_DAMAGED',
      message: expect.stringContaining(message),
      value: null,
    });
  });

  it('with the row and the column of the cell', async () => {
    const file = await withSheet('<row r="7"><c r="AB7" t="s"><v>9</v></c></row>');
    expect(await refusalOf(file)).toMatchObject({ row: 7, column: 'column AB' });
  });

  it('where a byte of a part was changed', async () => {
    const text = `<worksheet><sheetData><row r="1"><c t="str"><v>Email</v></c></row></sheetData></worksheet>`;
    const file = Buffer.from(await withParts((parts) => void (parts[SHEET] = text)));
    const other = deflateRawSync(Buffer.from(text.replace('Email', 'Phone')), { level: 1 });
    const at = file.indexOf(deflateRawSync(Buffer.from(text), { level: 1 }));
    expect(at).toBeGreaterThan(0);
    other.copy(file, at);
    expect(crc32(text)).not.toBe(crc32(text.replace('Email', 'Phone')));
    expect(await refusalOf(file)).toMatchObject({ code: 'WORKBOOK_DAMAGED' });
  });

  it('and an empty one is called empty', async () => {
    expect(await refusalOf(await workbookOf({ sheets: [{ rows: [] }] }))).toMatchObject({
      code: 'EMPTY_FILE',
      message: expect.stringContaining('first visible sheet'),
    });
  });
});

describe('a workbook that would unpack to too much is refused', () => {
  async function convert(file: Buffer, limits: Partial<WorkbookLimits>) {
    const { path, textPath } = await scratch.request(file, WORKBOOK);
    const shape = { columns: undefined, maxRows: undefined };
    return convertWorkbook(
      { path, textPath, shape, limits: { ...WORKBOOK_LIMITS, ...limits } },
      () => undefined,
    );
  }
  const blanks = () =>
    withParts((parts) => void (parts[SHEET] = `<worksheet>${' '.repeat(500_000)}</worksheet>`));

  it('by how much it shrank', async () => {
    await expect(convert(await blanks(), { ratioFromBytes: 100_000, ratio: 100 })).rejects.toMatchObject({
      code: 'WORKBOOK_TOO_LARGE',
      message: expect.stringContaining('100 times its size'),
    });
  });

  it('by its size', async () => {
    await expect(convert(await blanks(), { partBytes: 400_000 })).rejects.toMatchObject({
      code: 'WORKBOOK_TOO_LARGE',
    });
  });

  it('by the number of its files', async () => {
    await expect(convert(await blanks(), { entries: 5 })).rejects.toMatchObject({
      code: 'WORKBOOK_TOO_LARGE',
    });
  });

  it('by what many cells make of one long text', async () => {
    const cell = '<c t="s"><v>0</v></c>';
    const file = await withParts((parts) => {
      parts['xl/sharedStrings.xml'] = `<sst><si><t>${'x'.repeat(30_000)}</t></si></sst>`;
      parts[SHEET] = `<worksheet><sheetData>${`<row>${cell}</row>`.repeat(3000)}</sheetData></worksheet>`;
    });
    await expect(convert(file, { ratioFromBytes: 1_000_000, ratio: 100 })).rejects.toMatchObject({
      code: 'WORKBOOK_TOO_LARGE',
      message: expect.stringContaining('the text of its sheet'),
    });
  });

  it('where the archive lies about the size of a part', async () => {
    const file = Buffer.from(await blanks());
    // Sizes stand in the central directory, 24 bytes into the entry that names the part.
    const name = file.lastIndexOf(SHEET);
    file.writeUInt32LE(1000, name - 46 + 24);
    await expect(convert(file, {})).rejects.toMatchObject({
      code: 'WORKBOOK_DAMAGED',
      message: expect.stringContaining('larger than the archive says'),
    });
  });

  it('by a text without end', async () => {
    const file = await withParts((parts) => {
      parts[SHEET] = `<worksheet a="${'x'.repeat(6 * 2 ** 20)}"/>`;
    });
    await expect(convert(file, {})).rejects.toMatchObject({
      message: expect.stringContaining('without a tag'),
    });
  });

  it('and leaves no file open', async () => {
    // Where there is no /proc, nothing is counted.
    const open = async () => (await readdir('/proc/self/fd').catch(() => [])).length;
    const before = await open();
    for (let round = 0; round < 5; round++) {
      await convert(await blanks(), { partBytes: 1 }).catch(() => undefined);
      await convert(await withSheet('<row'), {}).catch(() => undefined);
    }
    expect(await open()).toBeLessThanOrEqual(before + 2);
  });
});
