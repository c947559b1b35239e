import {
  attributeColumns,
  MAX_ATTRIBUTE_BYTES,
  MAX_ATTRIBUTES,
  type ColumnMapping,
  type HeaderHint,
} from '../../../domain/identities/index.js';
import type { ImportProblem } from '../../../platform/database/index.js';

/** Headers of a usable file that are probably misspelled. */
export function hintWarnings(hints: readonly HeaderHint[]): ImportProblem[] {
  return hints.map(({ columnNumber, header, suggestion }) => ({
    code: 'HEADER_HINT',
    message: `Column ${columnNumber} "${header}" makes no identity. Did you mean ${suggestion}?`,
  }));
}

/** Invalid cells of rows that are accepted for another identity, by reason. */
export function cellWarnings(ignoredCells: Readonly<Record<string, number>>): ImportProblem[] {
  return Object.entries(ignoredCells).map(([code, cells]) => ({
    code,
    message: `${cells} cells were left out (${code}); their rows have other identities.`,
  }));
}

/** Columns that a message names. */
const NAMED_COLUMNS = 10;

/** Columns that are neither identities nor kept as attributes. */
export function columnWarnings(mapping: ColumnMapping): ImportProblem[] {
  const { leftOut } = attributeColumns(mapping);
  if (leftOut.length === 0) return [];
  const message = `${leftOut.length} columns were left out: ${namesOf(leftOut)}. The first ${MAX_ATTRIBUTES} columns that make no identity are kept as attributes, if their names have at most 100 characters.`;
  return [{ code: 'ATTRIBUTES_LEFT_OUT', message }];
}

/** Cells of attributes that were too long to keep, by 0-based column. */
export function longValueWarnings(
  mapping: ColumnMapping,
  long: ReadonlyMap<number, number>,
): ImportProblem[] {
  if (long.size === 0) return [];
  const cells = [...long.values()].reduce((sum, count) => sum + count, 0);
  const columns = attributeColumns(mapping).kept.filter(({ column }) => long.has(column));
  const message = `${cells} values were left out of ${namesOf(columns)}: an attribute has at most ${MAX_ATTRIBUTE_BYTES} bytes.`;
  return [{ code: 'ATTRIBUTE_TOO_LONG', message }];
}

function namesOf(columns: readonly { name: string; column: number }[]): string {
  const named = columns
    .slice(0, NAMED_COLUMNS)
    .map(({ name, column }) => `column ${column + 1} "${name.slice(0, 40)}"`);
  const more = columns.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
