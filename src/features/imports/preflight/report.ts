import type { Encoding, RowProblem } from '../../../domain/files/index.js';
import type { ColumnMapping, HeaderHint } from '../../../domain/identities/index.js';
import type { FileShape } from '../../../kit/index.js';

/** A file to be checked before the engine reads it. */
export interface PreflightRequest {
  /** Local file, never changed. */
  path: string;
  shape: FileShape;
  /** May be written: the good records as UTF-8 TabSeparated, without header. Of use only where `engine.path` names it. */
  cleanPath: string;
  /** Written where the file is a workbook: the text of its sheet, which everything behind reads in its place. */
  textPath: string;
  /** Written once records are read: CSV of the rejected ones with the columns row, column, code, message, value (masked). */
  rejectsPath: string;
  /** The delimiter where it is known; else it is recognised. One ASCII character. */
  delimiter?: string;
}

/** How the engine must read the good records: as `columns` String columns c1 … cN. */
export interface EngineReading {
  path: string;
  format: 'CSV' | 'TabSeparated' | 'TSVRaw' | 'LineAsString';
  /** Header lines that `settings` make the engine skip. */
  skipLines: number;
  settings: Record<string, number | string>;
}

/**
 * A file whose good records can be imported. In a file of one column, a row whose value is empty or white space
 * is a blank line and no record: it is neither accepted nor rejected.
 */
export interface UsableReport {
  verdict: 'usable';
  encoding: Encoding;
  delimiter: string;
  mapping: ColumnMapping;
  /** Number of columns of every good record. */
  columns: number;
  hints: HeaderHint[];
  /** What was passed over on purpose, and people should know. */
  notes: { code: string; message: string }[];
  engine: EngineReading;
  /** Records that cannot be read. Values are the engine's matter (see explainRows). */
  rejected: number;
  rejectedByReason: Record<string, number>;
  /** The first 1,000. */
  problems: RowProblem[];
  /** The file stops inside its last record (too few columns, no line end): a sign of truncation. */
  endsMidRecord: boolean;
  sizeBytes: number;
  /** Length of the rejects file; explainRows goes on from there. */
  rejectsBytes: number;
}

/** A file that cannot be imported, with every problem found up to 1,000, those of the whole file first. */
export interface RefusedReport {
  verdict: 'refused';
  problems: RowProblem[];
  encoding?: string;
  delimiter?: string;
  /** Number of columns of the header, or that were expected of every record. */
  columns?: number;
  hints?: HeaderHint[];
  /** Records that cannot be read, beyond those listed too, as far as the file was read. */
  rejectedByReason?: Record<string, number>;
}

export type PreflightReport = UsableReport | RefusedReport;

export interface ExplainRequest extends PreflightRequest {
  report: UsableReport;
  /** ISO 3166 alpha-2, of national phone numbers. */
  defaultRegion?: string;
  /** Where to write accepted records, as UTF-8 TabSeparated like `cleanPath`: this many, drawn at random. */
  sample?: { path: string; rows: number };
}

/** Which records have no valid identity, and why. Does not repeat what the preflight rejected. */
export interface RowExplanation {
  rejected: number;
  rejectedByReason: Record<string, number>;
  /** Records with a valid identity. */
  accepted: number;
  /** What was drawn; `isWhole`: every accepted record. */
  sample?: { rows: number; isWhole: boolean };
  /** By reason: invalid cells of rows that another identity made acceptable. */
  ignoredCells: Record<string, number>;
  /** The first 1,000. */
  problems: RowProblem[];
}
