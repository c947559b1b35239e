import { describe, expect, it } from '@jest/globals';
import { formatOf, isBinaryStart } from './file-format.js';
import { otherKindOf } from './file-kind.js';
import { notAWorkbook } from './workbook-kind.js';

const COMPOUND = 'd0cf11e0a1b11ae1';
const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('a file sent in place of a CSV', () => {
  it.each([
    ['PK\x05\x06\0\0', 'an empty ZIP archive'],
    ['BZh91AY&SY', 'a bzip2 archive'],
    ['\xfd7zXZ\0\0', 'an xz archive'],
    ["7z\xbc\xaf'\x1c\0", 'a 7-Zip archive'],
    ['Rar!\x1a\x07\x01\0', 'a RAR archive'],
    ['(\xb5/\xfd\0', 'a Zstandard archive'],
    ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'an old Excel or Office document'],
    ['%PDF-2.0', 'a PDF document'],
    ['PAR1\x15\0', 'a Parquet file'],
    ['Obj\x01\0', 'an Avro file'],
    ['SQLite format 3\0', 'an SQLite database'],
    ['\x89PNG\r\n\x1a\n', 'a PNG image'],
    ['\xff\xd8\xff\xe0', 'a JPEG image'],
  ])('that begins with %j is %s', (start, name) => {
    expect(otherKindOf(latin1(start))).toMatchObject({ code: 'NOT_A_TEXT_FILE', name });
  });

  it.each([
    'PK,email',
    'BZh9',
    '7z,email',
    'Rar!,email',
    '%PDF',
    'PAR1,email',
    'Obj,email',
    'SQLite format 3,',
  ])('may be one that only begins alike: %j is text', (start) => {
    expect(otherKindOf(latin1(start))).toBeUndefined();
  });

  it('is a workbook only if an archive names parts of one', () => {
    const name = (start: string) => otherKindOf(latin1(start))?.name;
    expect(name('PK\x03\x04\0\0xl/workbook.xml')).toBe('an Excel workbook (XLSX)');
    expect(name('PK\x03\x04\0\0list.csv')).toBe('a ZIP archive');
    expect(name('\x1f\x8bxl/workbook.xml')).toBe('a gzip archive');
  });

  it.each(['<html>', '<HTML lang="en">', ' \r\n<!doctype html>', '<?xml version="1.0"?>'])(
    'is a document of markup where it begins with %j',
    (start) => {
      expect(otherKindOf(latin1(start))).toMatchObject({ code: 'NOT_A_CSV_FILE' });
    },
  );

  it.each(['<htmlx>', '<!doctypes', 'email,<html>\n', '<email>\n'])(
    'is text where it begins with %j',
    (start) => {
      expect(otherKindOf(latin1(start))).toBeUndefined();
    },
  );
});

describe('a file sent in place of a workbook', () => {
  const nowhere = () => {
    throw new Error('Nothing to read');
  };
  /** The header of a compound file of so many bytes. */
  const compound = (sectorShift: number, directory: number, bytes = 512) => {
    const head = Buffer.alloc(512);
    head.write(COMPOUND, 'hex');
    head.writeUInt16LE(sectorShift, 30);
    head.writeUInt32LE(directory, 48);
    return head.subarray(0, bytes);
  };

  it('may be an archive, which a workbook is', () => {
    expect(notAWorkbook(latin1('PK\x03\x04'), nowhere)).toBeUndefined();
  });

  it('is named where it is known, else taken for text', () => {
    const messageOf = (head: string) => notAWorkbook(latin1(head), nowhere)?.message;
    expect(messageOf('%PDF-1.7')).toMatch(/^The file is a PDF document, .*Save the table as a workbook/);
    expect(messageOf('email\n')).toMatch(/^The file is no ZIP archive, .*Name a CSV file \.csv\.$/);
  });

  it.each([
    [9, 3, 2048],
    [12, 1, 8192],
  ])('has a password where its directory says so (sectors of 2^%d bytes)', (shift, directory, at) => {
    const file = Buffer.alloc(16_384);
    file.write('EncryptedPackage', at, 'utf16le');
    const codeOf = (sector: number, bytes?: number) =>
      notAWorkbook(compound(shift, sector, bytes), (offset) => file.subarray(offset, offset + 512))?.code;
    expect(codeOf(directory)).toBe('WORKBOOK_ENCRYPTED');
    expect(codeOf(directory, 52)).toBe('WORKBOOK_ENCRYPTED');
    expect(codeOf(directory + 1)).toBe('NOT_A_WORKBOOK');
  });

  it.each([
    ['sectors of 2^8 bytes', compound(8, 0)],
    ['sectors of 2^13 bytes', compound(13, 0)],
    ['a header that is cut short', compound(9, 0, 51)],
  ])('is an old document, and read no further, with %s', (_, head) => {
    const problem = notAWorkbook(head, nowhere);
    expect(problem).toMatchObject({ code: 'NOT_A_WORKBOOK', row: null, column: null, value: null });
    expect(problem?.message).toContain('(.xls)');
  });
});

describe('the format of a file', () => {
  it.each([
    ['list.csv', '504b0304', 'xlsx'],
    ['list.csv', 'd0cf11e0', 'xlsx'],
    ['List.XLSX', '656d6169', 'xlsx'],
    ['list.xlsx.csv', '656d6169', 'csv'],
    ['listxlsx', '656d6169', 'csv'],
  ])('named %s that begins with %s is %s', (fileName, start, format) => {
    expect(formatOf(fileName, Buffer.from(start, 'hex'))).toBe(format);
  });

  it.each([
    ['504b0304', true],
    ['d0cf11e0', true],
    ['fffe6100', true],
    ['feff0061', true],
    ['efbbbf61', false],
    ['50', false],
  ])('that begins with %s is of other than single bytes: %s', (start, isBinary) => {
    expect(isBinaryStart(Buffer.from(start, 'hex'))).toBe(isBinary);
  });
});
