/** What a file is instead of a CSV, and what to do about it. */
export interface OtherKind {
  code: 'NOT_A_TEXT_FILE' | 'NOT_A_CSV_FILE';
  /** With article: "a ZIP archive". */
  name: string;
  remedy: string;
}

const UNPACK = 'Unpack it and send the CSV file inside.';
const EXPORT = 'Save it as "CSV UTF-8" and send that file.';

/** First bytes of formats that people send by mistake. Those that text could begin with ask for more bytes. */
const SIGNATURES: readonly (readonly [name: string, remedy: string, signature: string])[] = [
  ['a ZIP archive', UNPACK, 'PK\x03\x04'],
  ['an empty ZIP archive', UNPACK, 'PK\x05\x06'],
  ['a gzip archive', UNPACK, '\x1f\x8b'],
  ['a bzip2 archive', UNPACK, 'BZh91AY&SY'],
  ['an xz archive', UNPACK, '\xfd7zXZ\0'],
  ['a 7-Zip archive', UNPACK, "7z\xbc\xaf'\x1c"],
  ['a RAR archive', UNPACK, 'Rar!\x1a\x07'],
  ['a Zstandard archive', UNPACK, '\x28\xb5\x2f\xfd'],
  ['an old Excel or Office document', EXPORT, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
  ['a PDF document', EXPORT, '%PDF-1.'],
  ['a PDF document', EXPORT, '%PDF-2.'],
  ['a Parquet file', EXPORT, 'PAR1\x15'],
  ['an Avro file', EXPORT, 'Obj\x01'],
  ['an SQLite database', EXPORT, 'SQLite format 3\0'],
  ['a PNG image', EXPORT, '\x89PNG\r\n'],
  ['a JPEG image', EXPORT, '\xff\xd8\xff'],
];

const MARKUP = /^\s*<(?:!doctype\s|html[\s>]|\?xml\s)/i;

/** Recognises a file that is no CSV by its first bytes; undefined for everything else. */
export function otherKindOf(head: Buffer): OtherKind | undefined {
  const start = head.toString('latin1', 0, 512);
  const found = SIGNATURES.find(([, , signature]) => start.startsWith(signature));
  if (found) {
    const [name, remedy] = found;
    if (isWorkbook(head, name)) {
      return { code: 'NOT_A_TEXT_FILE', name: 'an Excel workbook (XLSX)', remedy: EXPORT };
    }
    return { code: 'NOT_A_TEXT_FILE', name, remedy };
  }
  if (!MARKUP.test(start)) return undefined;
  const remedy = 'It may be an error page saved in place of the file: fetch the file again.';
  return { code: 'NOT_A_CSV_FILE', name: 'an HTML or XML document', remedy };
}

function isWorkbook(head: Buffer, name: string): boolean {
  return name === 'a ZIP archive' && (head.includes('[Content_Types].xml') || head.includes('xl/'));
}
