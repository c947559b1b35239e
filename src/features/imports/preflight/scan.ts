import {
  decoderOf,
  delimiterName,
  MAX_RECORD_BYTES,
  RecordScanner,
  type Encoding,
  type QuoteFault,
  type RowProblem,
  type ScannedRecord,
} from '../../../domain/files/index.js';
import type { Breathe, LocalFile } from './local-file.js';

/** How the bytes of a file become records. */
export interface Reading {
  encoding: Encoding;
  bomBytes: number;
  delimiter: string;
  /** 1-based record of the header; it goes to no sink. */
  headerRow: number | undefined;
}

/**
 * Hands every record that is neither header nor blank to `sink`, until that says false. Resolves to the quote
 * at which reading had to stop, if there is one. Throws UndecodableError.
 */
export async function scanRecords(
  file: LocalFile,
  { encoding, bomBytes, delimiter, headerRow }: Reading,
  sink: (record: ScannedRecord) => boolean,
  breathe: Breathe,
): Promise<QuoteFault | undefined> {
  const decoder = decoderOf(encoding, bomBytes);
  let goOn = true;
  const scanner = new RecordScanner(delimiter.charCodeAt(0), (record) => {
    if (goOn && record.row !== headerRow && !record.isBlank) goOn = sink(record);
  });
  for await (const chunk of file.chunks(bomBytes, breathe)) {
    scanner.push(decoder.push(chunk));
    if (!goOn || scanner.fault !== undefined) return scanner.fault;
  }
  decoder.end();
  scanner.end();
  return scanner.fault;
}

/** Why a record cannot be read, in the order in which reasons count. */
export type StructureFault = 'ROW_TOO_LONG' | 'NUL_BYTE' | 'TOO_FEW_COLUMNS' | 'TOO_MANY_COLUMNS';

/** What is wrong with a record whatever its values; undefined where it can be read. */
export function structureFaultOf(record: ScannedRecord, columns: number): StructureFault | undefined {
  if (record.tooLong) return 'ROW_TOO_LONG';
  if (record.hasNul) return 'NUL_BYTE';
  if (record.count < columns) return 'TOO_FEW_COLUMNS';
  return record.count > columns ? 'TOO_MANY_COLUMNS' : undefined;
}

/** The problem of a record that cannot be read. */
export function structureProblem(
  code: StructureFault,
  record: ScannedRecord,
  columns: number,
  /** Undefined: the records are the rows of a sheet. */
  delimiter: string | undefined,
): RowProblem {
  const message =
    delimiter === undefined
      ? messageOfSheet(code, record.count, columns)
      : messageOf(code, record.count, columns, delimiterName(delimiter));
  return { row: record.row, line: record.line, column: null, code, message, value: null };
}

function messageOf(code: StructureFault, found: number, columns: number, delimiter: string): string {
  if (code === 'ROW_TOO_LONG') {
    return `The record is longer than ${MAX_RECORD_BYTES} bytes. Look for a missing line end or quote.`;
  }
  if (code === 'NUL_BYTE') return 'The record holds a NUL byte. Export the file anew: text has none.';
  const expected =
    columns === 1
      ? 'expected one value a line'
      : `expected ${columns} columns separated by ${delimiter}, as in the first line`;
  return `The record has ${found} ${found === 1 ? 'column' : 'columns'}; ${expected}. Quote values that hold a ${delimiter}.`;
}

function messageOfSheet(code: StructureFault, found: number, columns: number): string {
  if (code === 'ROW_TOO_LONG') {
    return `The row holds more than ${MAX_RECORD_BYTES} bytes of text. Take out what is not about the person.`;
  }
  if (code === 'NUL_BYTE') return 'The row holds a NUL character (_x0000_). Take it out.';
  return `The row has texts in ${found} columns; expected ${columns}, as in the first row. Give the further columns a name there, or empty them.`;
}
