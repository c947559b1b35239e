import {
  encodingName,
  fileProblem,
  looksLikeShiftJis,
  looksNonWestern,
  otherKindOf,
  PlainCheck,
  sniffEncoding,
  Utf8Check,
  type Encoding,
  type PlainShape,
  type RowProblem,
  type UndecodableError,
} from '../../../domain/files/index.js';
import type { FileShape } from '../../../kit/index.js';
import type { Breathe, LocalFile } from './local-file.js';

/** The encoding of a file, or why it is not read. `name`: what it seems to be. */
export type EncodingVerdict =
  { encoding: Encoding; bomBytes: number; plain: boolean } | { problem: RowProblem; name?: string };

const REMEDY = 'Save the file as UTF-8 ("CSV UTF-8" in Excel) and send it again.';

/** What the first bytes say: an encoding to go on with, or a file that is no text. */
export function checkHead(
  head: Buffer,
  shape: FileShape,
): Exclude<EncodingVerdict, { plain: boolean }> | { encoding: Encoding; bomBytes: number } {
  const kind = otherKindOf(head);
  if (kind) {
    const message = `The file is ${kind.name}, whatever its name says; expected a CSV text file. ${kind.remedy}`;
    return { problem: fileProblem(kind.code, message) };
  }
  const { encoding, bomBytes } = sniffEncoding(head);
  if (encoding === 'binary') {
    const message = `The file is full of NUL bytes, so it is no text in any encoding that is read here. Expected a CSV text file. ${REMEDY}`;
    return { problem: fileProblem('NOT_A_TEXT_FILE', message) };
  }
  if (encoding === 'utf-32' || (encoding !== 'utf-8' && shape.encodings === 'utf-8')) {
    return refused(shape, 0, encodingName(encoding));
  }
  return { encoding, bomBytes };
}

/**
 * One pass over a file that seems to be UTF-8: is it, and can the engine read it as it is? `plainShape` undefined
 * = no need to know the latter.
 */
export async function survey(
  file: LocalFile,
  shape: FileShape,
  bomBytes: number,
  plainShape: PlainShape | undefined,
  breathe: Breathe,
): Promise<EncodingVerdict> {
  const utf8 = new Utf8Check();
  const plain = plainShape && new PlainCheck(plainShape);
  for await (const chunk of file.chunks(bomBytes, breathe)) {
    utf8.push(chunk);
    plain?.push(chunk);
    if (utf8.invalidAt !== undefined) return notUtf8(file, shape, utf8, bomBytes);
  }
  utf8.end();
  plain?.end();
  if (utf8.invalidAt !== undefined) return notUtf8(file, shape, utf8, bomBytes);
  return { encoding: 'utf-8', bomBytes, plain: plain?.plain ?? false };
}

function notUtf8(file: LocalFile, shape: FileShape, utf8: Utf8Check, bomBytes: number): EncodingVerdict {
  const offset = bomBytes + (utf8.invalidAt ?? 0);
  // A BOM, or characters that only UTF-8 spells so: UTF-8 that was damaged, not another encoding.
  if (bomBytes > 0 || utf8.beyondAscii) return refused(shape, offset, 'damaged UTF-8');
  const sample = file.sampleAt(offset);
  if (looksLikeShiftJis(sample)) return refused(shape, offset, encodingName('shift-jis'));
  if (looksNonWestern(sample)) return refused(shape, offset, 'an encoding of another script');
  if (shape.encodings === 'utf-8') return refused(shape, offset, encodingName('windows-1252'));
  return { encoding: 'windows-1252', bomBytes: 0, plain: false };
}

/** The problem of bytes that mean nothing in the encoding that was recognised. */
export function undecodable(error: UndecodableError, encoding: Encoding): RowProblem {
  const message = `The file seems to be ${encodingName(encoding)}, but at byte ${error.offset} there is ${error.found}. ${REMEDY}`;
  return fileProblem('ENCODING_UNKNOWN', message);
}

function refused(shape: FileShape, offset: number, seemsToBe: string): { problem: RowProblem; name: string } {
  const strict = shape.encodings === 'utf-8';
  const expected = strict ? 'Expected UTF-8.' : 'Expected UTF-8, UTF-16 or Windows-1252.';
  const message = `The file is not in an encoding that is read here: byte ${offset} is the first that does not fit. It seems to be ${seemsToBe}. ${expected} ${REMEDY}`;
  return {
    problem: fileProblem(strict ? 'ENCODING_NOT_UTF8' : 'ENCODING_UNKNOWN', message),
    name: seemsToBe,
  };
}
