import { otherKindOf } from './file-kind.js';
import { fileProblem, type RowProblem } from './row-problem.js';

/** ZIP, in which workbooks come, and the container of older Office documents (MS-CFB). */
const ZIP = Buffer.from('PK\x03\x04', 'latin1');
const COMPOUND = Buffer.from('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'latin1');
/** Fields of a compound file's header: size of a sector as a power of two, number of the directory's first sector. */
const SECTOR_SHIFT_AT = 30;
const DIRECTORY_AT = 48;
/** A workbook with a password is a compound file with this stream. */
const ENCRYPTED = Buffer.from('EncryptedPackage', 'utf16le');

/** Why a file cannot be a workbook, by its first bytes; `bytesAt` yields some from an offset on. */
export function notAWorkbook(head: Buffer, bytesAt: (offset: number) => Buffer): RowProblem | undefined {
  if (head.subarray(0, ZIP.length).equals(ZIP)) return undefined;
  if (head.subarray(0, COMPOUND.length).equals(COMPOUND)) return ofCompound(head, bytesAt);
  const kind = otherKindOf(head);
  const name = kind?.name ?? 'no ZIP archive, as a workbook is, but perhaps text';
  const remedy =
    kind === undefined ? 'Name a CSV file .csv.' : 'Save the table as a workbook (.xlsx) or as "CSV UTF-8".';
  const message = `The file is ${name}, whatever its name says; expected an Excel workbook (XLSX). ${remedy}`;
  return fileProblem('NOT_A_WORKBOOK', message);
}

function ofCompound(head: Buffer, bytesAt: (offset: number) => Buffer): RowProblem {
  if (isEncrypted(head, bytesAt)) {
    const message =
      'The workbook is protected by a password. Remove the password, save it and send it again.';
    return fileProblem('WORKBOOK_ENCRYPTED', message);
  }
  const message =
    'The file is an old Excel or Office document (.xls), whatever its name says; expected an Excel workbook (XLSX). Save it as "Excel Workbook (.xlsx)" and send that file.';
  return fileProblem('NOT_A_WORKBOOK', message);
}

function isEncrypted(head: Buffer, bytesAt: (offset: number) => Buffer): boolean {
  if (head.length < DIRECTORY_AT + 4) return false;
  const shift = head.readUInt16LE(SECTOR_SHIFT_AT);
  if (shift < 9 || shift > 12) return false;
  const directory = (head.readUInt32LE(DIRECTORY_AT) + 1) * 2 ** shift;
  return bytesAt(directory).includes(ENCRYPTED);
}
