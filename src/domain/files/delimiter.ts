import { mapColumns } from '../identities/index.js';

/** Delimiters that are recognised, most usual first. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Ids may hold `|` (identity providers make such), so between single ids it is no delimiter. */
const BETWEEN_IDS = [',', ';', '\t'] as const;

const NAMES: Readonly<Record<string, string>> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': '|' };

/** Name of a delimiter for people. */
export function delimiterName(delimiter: string): string {
  return NAMES[delimiter] ?? delimiter;
}

/** Reads the first records of a file with a delimiter, as far as they can be read. */
export type FirstRecords = (delimiter: string) => readonly (readonly string[])[];

/**
 * The delimiter of a file with header: the one that makes columns the hub knows, else the one that makes the
 * most columns, else the comma.
 */
export function delimiterByHeader(read: FirstRecords): string {
  const candidates = DELIMITERS.map((delimiter) => {
    const header = read(delimiter)[0] ?? [];
    return { delimiter, columns: header.length, known: 'mapping' in mapColumns(header) };
  });
  const [best] = candidates.toSorted(
    (a, b) => Number(b.known && b.columns > 1) - Number(a.known && a.columns > 1) || b.columns - a.columns,
  );
  return best?.delimiter ?? ',';
}

/**
 * The delimiter of a file without header. Of several columns: the one that splits most of the first records into
 * so many. Of one: the comma, unless another splits all of them alike (the file is refused then).
 */
export function delimiterByRecords(read: FirstRecords, expectedColumns: number): string {
  if (expectedColumns === 1) return BETWEEN_IDS.find((delimiter) => splitsAlike(read(delimiter))) ?? ',';
  const candidates = DELIMITERS.map((delimiter) => {
    const fitting = read(delimiter).filter((record) => record.length === expectedColumns);
    return { delimiter, fits: fitting.length };
  });
  const [best] = candidates.toSorted((a, b) => b.fits - a.fits);
  return best?.delimiter ?? ',';
}

function splitsAlike(records: readonly (readonly string[])[]): boolean {
  const counts = new Set(records.map((record) => record.length));
  return counts.size === 1 && !counts.has(1);
}
