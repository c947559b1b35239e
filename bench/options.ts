import { parseArgs } from 'node:util';

/** Rows that can be measured, in the order in which they are. */
export const ROWS = [
  'import-1m',
  'import-16m',
  'import-16m-s3',
  'import-people',
  'upload-csv',
  'upload-xlsx',
  'upload-large',
  'delivery',
  'delivery-meta',
  'export',
] as const;

/** Measured only where they are named, or in a long run. */
const LONG: readonly RowName[] = [
  'import-16m',
  'import-16m-s3',
  'import-people',
  'upload-large',
  'delivery-meta',
];

/** One of {@link ROWS}. */
export type RowName = (typeof ROWS)[number];

/** What to measure. */
export interface BenchOptions {
  short: boolean;
  rows: readonly RowName[];
  /** Rounds of every row, instead of its own number. */
  rounds?: number;
}

export const USAGE = `npm run bench -- [--short] [--rows ${ROWS.join(',')}] [--rounds N]

  --short     what CI runs: 1 M ids, small uploads, a small delivery and a small export; exit code 1 where a ratio is
              more than twice its target
  --rows      only these rows
  --rounds    so many rounds of each row; the best of ours is compared with the best of the floor`;

/** Reads the command line. Throws with a sentence for people where it says something else. */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { short } = values;
  const rounds = values.rounds === undefined ? undefined : wholeNumber(values.rounds);
  return { short, rows: rowsOf(values.rows, short), ...(rounds === undefined ? {} : { rounds }) };
}

function rowsOf(list: string | undefined, short: boolean): RowName[] {
  if (list === undefined) return ROWS.filter((row) => !(short && LONG.includes(row)));
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !ROWS.some((row) => row === name));
  if (unknown.length > 0) {
    throw new Error(`There is no row ${unknown.join(', ')}. The rows are ${ROWS.join(', ')}.`);
  }
  return ROWS.filter((row) => names.includes(row));
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new Error(`--rounds takes a number from 1 to 99; there was "${text}".`);
}
