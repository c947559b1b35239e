import type { IdentityType } from '../../kit/index.js';

/** Rows of each included identity type. */
export type RowsByIdentity = Partial<Record<IdentityType, number>>;

/** What is known of one CSV of an export. */
export interface ExportedFile {
  fileName: string;
  /** When its rows were read, milliseconds since the epoch. */
  minTimestampMs: number;
  maxTimestampMs: number;
  /** Profiles with at least one row. */
  totalUsers: number;
  rowsByIdentity: RowsByIdentity;
}

/** What {@link buildManifest} needs. */
export interface ExportedArchive {
  archiveName: string;
  exportId: string;
  audienceIds: readonly number[];
  includedIdentities: readonly IdentityType[];
  generatedAt: Date;
  /** At least one. */
  files: readonly ExportedFile[];
}

/** `manifest.json` of an export: field names and their order are a promise. */
export interface Manifest {
  archive_name: string;
  id: string;
  audience_ids: number[];
  included_identities: IdentityType[];
  manifest_generated: string;
  min_timestamp_ms: number;
  max_timestamp_ms: number;
  total_rows: number;
  rows_by_identity: RowsByIdentity;
  files: {
    file_name: string;
    min_timestamp_ms: number;
    max_timestamp_ms: number;
    total_users: number;
    total_rows: number;
    rows_by_identity: RowsByIdentity;
  }[];
}

/** The manifest of an export. Totals are sums over the files, and every included type is listed, with 0 too. */
export function buildManifest(archive: ExportedArchive): Manifest {
  const types = archive.includedIdentities;
  const total = Object.fromEntries(
    types.map((type) => [type, sum(archive.files.map((file) => file.rowsByIdentity[type] ?? 0))]),
  ) as RowsByIdentity;
  return {
    archive_name: archive.archiveName,
    id: archive.exportId,
    audience_ids: [...archive.audienceIds],
    included_identities: [...types],
    manifest_generated: withSevenDecimals(archive.generatedAt),
    min_timestamp_ms: Math.min(...archive.files.map((file) => file.minTimestampMs)),
    max_timestamp_ms: Math.max(...archive.files.map((file) => file.maxTimestampMs)),
    total_rows: sum(Object.values(total)),
    rows_by_identity: total,
    files: archive.files.map((file) => fileEntry(file, types)),
  };
}

function fileEntry(file: ExportedFile, types: readonly IdentityType[]): Manifest['files'][number] {
  const rows = Object.fromEntries(
    types.map((type) => [type, file.rowsByIdentity[type] ?? 0]),
  ) as RowsByIdentity;
  return {
    file_name: file.fileName,
    min_timestamp_ms: file.minTimestampMs,
    max_timestamp_ms: file.maxTimestampMs,
    total_users: file.totalUsers,
    total_rows: sum(Object.values(rows)),
    rows_by_identity: rows,
  };
}

/** ISO 8601 in UTC with seven decimals, of which a Date knows three. */
function withSevenDecimals(at: Date): string {
  return at.toISOString().replace('Z', '0000Z');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
