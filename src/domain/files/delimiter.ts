import { mapColumns } from '../identities/index.js';

/** Delimiters that are recognised, most usual first. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Ids may hold `|` (identity providers make such), so it counts for a delimiter only where a header says so. */
const DELIMITERS_WITHOUT_HEADER = [',', ';', '\t'] as const;

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
 * The delimiter of a file without header: one that splits all of its first records into the expected number of
 * columns (of several columns), or alike into several (where one was expected: the file is then refused).
 */
export function delimiterByRecords(read: FirstRecords, expectedColumns: number): string {
  const fits = DELIMITERS_WITHOUT_HEADER.filter((delimiter) => {
    const counts = new Set(read(delimiter).map((record) => record.length));
    if (expectedColumns > 1) return counts.has(expectedColumns) && counts.size === 1;
    return counts.size === 1 && !counts.has(1);
  });
  return fits[0] ?? ',';
}
