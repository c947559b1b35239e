import { foldHeader, labelOf, recogniseHeader } from './columns.js';
import { nearMissesIn } from './near-miss.js';

/** Why a header cannot be used. */
export interface HeaderProblem {
  code:
    | 'COLUMN_MISSING'
    | 'DUPLICATE_HEADER'
    | 'EMPTY_HEADER'
    | 'NO_HEADER'
    | 'NO_USABLE_COMBINATION'
    | 'TOO_MANY_COLUMNS';
  /**
   * What is wrong, what was expected, what to do. Quotes a cell only where it is a known header or nearly one:
   * the first line of a file without header is somebody's data.
   */
  message: string;
  /** 1-based; absent where the problem is of the whole header. */
  columnNumber?: number;
}

const COMBINATIONS =
  'Customer ID; Voter ID; NPI; Email; Phone; a hash of email or phone; Full Address; First Name + Last Name + Zip + State; ' +
  'Last Name + Street Address + Zip + State; or Street Address + Zip + State';

/** E-mail addresses, hashes, phones and other long numbers: nobody names a column so. */
const DATA_CELL = /@|^[0-9a-f]{32,128}$|^LAL[A-Z]{2}\d+$|^[+(]?\d[\d ().-]{4,}$/iu;

/** More columns than any file of people has; a long line of anything else is not worth a search for near misses. */
export const MAX_COLUMNS = 2000;

/** Every problem of a header, in column order; `usable` says whether an identity can be made of it. */
export function checkHeader(header: readonly string[], usable: boolean): HeaderProblem[] {
  if (!usable && looksLikeData(header)) return [noHeader()];
  const problems = [...emptyCells(header), ...duplicates(header)];
  if (!usable) problems.push(noUsableCombination(header));
  return problems.toSorted(
    (a, b) =>
      (a.columnNumber ?? Number.POSITIVE_INFINITY) - (b.columnNumber ?? Number.POSITIVE_INFINITY) || 0,
  );
}

/** The only problem of a header that is too wide. */
export function tooManyColumns(count: number): HeaderProblem {
  return {
    code: 'TOO_MANY_COLUMNS',
    message: `The header has ${count} columns; at most ${MAX_COLUMNS} are read. Check the delimiter, or leave columns out.`,
  };
}

function looksLikeData(header: readonly string[]): boolean {
  return (
    header.every((cell) => recogniseHeader(cell) === undefined) &&
    header.some((cell) => DATA_CELL.test(cell.trim()))
  );
}

function noHeader(): HeaderProblem {
  return {
    code: 'NO_HEADER',
    message: `The first line holds data, not column names. Put a header line with the column names first: ${COMBINATIONS}.`,
  };
}

function emptyCells(header: readonly string[]): HeaderProblem[] {
  return header.flatMap((cell, index) => {
    if (foldHeader(cell) !== '') return [];
    const message = `Column ${index + 1} has no name. Name it, or remove the column (a delimiter at the end of the header line makes one too).`;
    return [{ code: 'EMPTY_HEADER' as const, message, columnNumber: index + 1 }];
  });
}

function duplicates(header: readonly string[]): HeaderProblem[] {
  const firstSeen = new Map<string, number>();
  return header.flatMap((cell, index) => {
    const folded = foldHeader(cell);
    if (folded === '') return [];
    const first = firstSeen.get(folded);
    if (first === undefined) {
      firstSeen.set(folded, index);
      return [];
    }
    const found = recogniseHeader(cell);
    const name = found === undefined ? '' : ` (${labelOf(found.part)})`;
    const message = `Columns ${first + 1} and ${index + 1} have the same name${name}. Remove or rename one of them.`;
    return [{ code: 'DUPLICATE_HEADER' as const, message, columnNumber: index + 1 }];
  });
}

function noUsableCombination(header: readonly string[]): HeaderProblem {
  const found = header.flatMap((cell) => recogniseHeader(cell)?.part ?? []).map((part) => labelOf(part));
  const hints = nearMissesIn(header).map(
    ({ column, part }) => `column ${column + 1} "${header[column]}" – did you mean ${labelOf(part)}?`,
  );
  const recognised = found.length === 0 ? 'none is recognised' : `recognised: ${found.join(', ')}`;
  const suggestions = hints.length === 0 ? '' : ` Perhaps misspelled: ${hints.join(' ')}`;
  return {
    code: 'NO_USABLE_COMBINATION',
    message: `Of the ${header.length} columns ${recognised}, which makes no usable combination.${suggestions} Expected ${COMBINATIONS}.`,
  };
}
