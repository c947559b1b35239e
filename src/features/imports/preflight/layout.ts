import {
  decoderOf,
  delimiterByHeader,
  delimiterByRecords,
  fieldTexts,
  fileProblem,
  RecordScanner,
  UndecodableError,
  type Encoding,
  type QuoteFault,
  type RowProblem,
} from '../../../domain/files/index.js';
import { mapColumns, type MappingResult } from '../../../domain/identities/index.js';
import type { FileShape } from '../../../kit/index.js';
import { undecodable } from './encoding-check.js';

/** The columns of a file, read from its first records. */
export interface Layout {
  delimiter: string;
  columns: number;
  /** 1-based record of the header; undefined without one. */
  headerRow: number | undefined;
  mapping: MappingResult;
  /** The file starts with its first record, and a whole record of data stands in its first bytes. */
  startsPlainly: boolean;
}

const SAMPLE_RECORDS = 100;

interface HeadRecord {
  row: number;
  cells: readonly string[];
}

interface HeadReading {
  records: HeadRecord[];
  fault: QuoteFault | undefined;
}

/** The first bytes of a file, without byte order mark. */
export interface Head {
  bytes: Buffer;
  encoding: Encoding;
  /** Offset of `bytes` in the file. */
  offset: number;
  /** They are the whole file. */
  isWhole: boolean;
}

/** Reads delimiter and columns; a file without readable header yields its problems. */
export function readLayout(
  head: Head,
  shape: FileShape,
  given: string | undefined,
): Layout | { problems: RowProblem[] } {
  let decoded: Buffer;
  try {
    decoded = decoderOf(head.encoding, head.offset).push(head.bytes);
  } catch (error) {
    if (error instanceof UndecodableError) return { problems: [undecodable(error, head.encoding)] };
    throw error;
  }
  const limit = shape.header ? 2 : SAMPLE_RECORDS;
  const read = (delimiter: string) => readRecords(decoded, head.isWhole, delimiter, limit);
  const cellsOf = (delimiter: string) => read(delimiter).records.map((record) => record.cells);
  const expected = shape.columns?.length ?? 1;
  const delimiter =
    given ?? (shape.header ? delimiterByHeader(cellsOf) : delimiterByRecords(cellsOf, expected));
  const { records, fault } = read(delimiter);
  const [first, second] = records;
  if (!shape.header) {
    const mapping = mapColumns(shape.columns ?? ['customer_id']);
    return { delimiter, columns: expected, headerRow: undefined, mapping, startsPlainly: first?.row === 1 };
  }
  if (first === undefined) return { problems: [headerProblem(head, fault)] };
  return {
    delimiter,
    columns: first.cells.length,
    headerRow: first.row,
    mapping: mapColumns(first.cells, shape.mapping, shape.dataPartners),
    startsPlainly: first.row === 1 && second !== undefined,
  };
}

function readRecords(bytes: Buffer, isWhole: boolean, delimiter: string, limit: number): HeadReading {
  const records: HeadRecord[] = [];
  const scanner = new RecordScanner(delimiter.charCodeAt(0), (record) => {
    if (record.isBlank || record.tooLong || records.length === limit) return;
    const cells = fieldTexts(record);
    records.push({ row: record.row, cells });
  });
  const pieceBytes = 4096;
  for (let start = 0; start < bytes.length && records.length < limit; start += pieceBytes) {
    scanner.push(bytes.subarray(start, start + pieceBytes));
  }
  if (isWhole && records.length < limit) scanner.end();
  return { records, fault: scanner.fault };
}

function headerProblem(head: Head, fault: QuoteFault | undefined): RowProblem {
  if (fault !== undefined) return quoteProblem(fault);
  if (head.isWhole) {
    const blank = 'The file holds nothing but blank lines. Send a file with a header line and records.';
    return fileProblem('EMPTY_FILE', blank);
  }
  const message =
    'The header line is longer than 1 MiB, or its quote is never closed. Expected one line with the names of the columns.';
  return { ...fileProblem('ROW_TOO_LONG', message), row: 1, line: 1 };
}

/** The problem that a quote makes of everything behind it. */
export function quoteProblem({ code, row, line }: QuoteFault): RowProblem {
  const what =
    code === 'UNCLOSED_QUOTE'
      ? 'A quote opens here and is never closed.'
      : 'A quoted field opens here, and behind its closing quote there is text.';
  const message = `${what} What follows cannot be read for sure. Close the quote; write a quote inside a quoted field twice.`;
  return { row, line, column: null, code, message, value: null };
}
