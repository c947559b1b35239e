import { IDENTITY_TYPES, type IdentityType } from '../../kit/identity-types.js';
import { foldHeader, labelOf, recogniseHeader } from './columns.js';
import { checkHeader, MAX_COLUMNS, tooManyColumns, type HeaderProblem } from './header-problems.js';
import { nearMissesIn } from './near-miss.js';
import { IDENTITY_PARTS, type Part } from './rules.js';

/** Which columns make one identity. A type that several columns hold (cell and landline) has several entries. */
export interface MappedIdentity {
  type: IdentityType;
  /** 0-based column indexes, in the order of IDENTITY_PARTS[type]. */
  columns: number[];
}

/** A column that feeds an identity. */
export interface MappedColumn {
  part: Part;
  /** As written in the file. */
  header: string;
  /** 0-based. */
  column: number;
}

/** How the columns of a file become identities and attributes. Plain JSON: stored with the audience and locked by its first success. */
export interface ColumnMapping {
  /** Strongest type first; columns of one type in file order. */
  identities: MappedIdentity[];
  /** Every column an identity uses, in file order. The mapping contract is over these alone. */
  columns: MappedColumn[];
  /** All other columns: no identity is made of them, and an import passes them over. */
  attributes: { name: string; column: number }[];
}

/** A header that is probably misspelled, in a file that is usable without it. */
export interface HeaderHint {
  /** 1-based, as people count. */
  columnNumber: number;
  header: string;
  suggestion: string;
}

export type MappingResult = { mapping: ColumnMapping; hints: HeaderHint[] } | { problems: HeaderProblem[] };

/**
 * Maps a header to identities: every column that is an identity by itself, and every combination whose parts
 * are all there. Header case, spaces, `_` and `-` do not matter.
 */
export function mapColumns(header: readonly string[]): MappingResult {
  if (header.length > MAX_COLUMNS) return { problems: [tooManyColumns(header.length)] };
  const recognised = header.map((cell) => recogniseHeader(cell));
  const columnsOf = (part: Part) =>
    recognised.flatMap((found, column) => (found?.part === part ? [{ column, rank: found.rank }] : []));
  const identities = IDENTITY_TYPES.flatMap((type) => identitiesOf(type, columnsOf));
  const problems = checkHeader(header, identities.length > 0);
  if (problems.length > 0) return { problems };
  const used = new Set(identities.flatMap((identity) => identity.columns));
  const columns = recognised.flatMap((found, column) =>
    found !== undefined && used.has(column)
      ? [{ part: found.part, header: header[column] ?? '', column }]
      : [],
  );
  const attributes = header.flatMap((name, column) => (used.has(column) ? [] : [{ name, column }]));
  return { mapping: { identities, columns, attributes }, hints: hintsOf(header) };
}

function identitiesOf(
  type: IdentityType,
  columnsOf: (part: Part) => { column: number; rank: number }[],
): MappedIdentity[] {
  const [first, ...others] = IDENTITY_PARTS[type];
  if (first === undefined) return [];
  if (others.length === 0) return columnsOf(first).map(({ column }) => ({ type, columns: [column] }));
  const columns = IDENTITY_PARTS[type].flatMap((part) => strongest(columnsOf(part)));
  return columns.length === IDENTITY_PARTS[type].length ? [{ type, columns }] : [];
}

/** By synonym rank and not by position, so that moving columns changes nothing. */
function strongest(columns: { column: number; rank: number }[]): number[] {
  return columns
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, 1)
    .map(({ column }) => column);
}

function hintsOf(header: readonly string[]): HeaderHint[] {
  return nearMissesIn(header).map(({ column, part }) => ({
    columnNumber: column + 1,
    header: header[column] ?? '',
    suggestion: labelOf(part),
  }));
}

/** What differs between two mappings, by field label; renamed = the same field under another header. */
export interface MappingDifference {
  added: string[];
  removed: string[];
  renamed: { field: string; from: string; to: string }[];
  /** One sentence for people; '' where nothing differs. */
  sentence: string;
}

/** True where two mappings promise the same: order and case of columns, and attributes, do not count. */
export function sameContract(a: ColumnMapping, b: ColumnMapping): boolean {
  return diffMappings(a, b).sentence === '';
}

/** Compares a locked mapping with that of a newer file. */
export function diffMappings(previous: ColumnMapping, next: ColumnMapping): MappingDifference {
  const gone = withoutThoseIn(previous.columns, next.columns);
  const come = withoutThoseIn(next.columns, previous.columns);
  const renamed: MappingDifference['renamed'] = [];
  const removed: string[] = [];
  for (const column of gone) {
    const index = come.findIndex((candidate) => candidate.part === column.part);
    const [match] = index < 0 ? [] : come.splice(index, 1);
    if (match === undefined) removed.push(described(column));
    else renamed.push({ field: labelOf(column.part), from: column.header, to: match.header });
  }
  const added = come.map((column) => described(column));
  return { added, removed, renamed, sentence: sentenceOf({ added, removed, renamed }) };
}

function withoutThoseIn(columns: readonly MappedColumn[], others: readonly MappedColumn[]): MappedColumn[] {
  const keyOf = ({ part, header }: MappedColumn) => `${part} ${foldHeader(header)}`;
  const keys = new Set(others.map((column) => keyOf(column)));
  return columns
    .filter((column) => !keys.has(keyOf(column)))
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function described({ part, header }: MappedColumn): string {
  const label = labelOf(part);
  return foldHeader(label) === foldHeader(header) ? label : `${label} ("${header}")`;
}

function sentenceOf({ added, removed, renamed }: Omit<MappingDifference, 'sentence'>): string {
  const pieces = [
    ...(added.length > 0 ? [`added ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`removed ${removed.join(', ')}`] : []),
    ...(renamed.length > 0
      ? [`renamed ${renamed.map(({ field, from, to }) => `${field} from "${from}" to "${to}"`).join(', ')}`]
      : []),
  ];
  return pieces.length === 0 ? '' : `The column mapping changed: ${pieces.join('; ')}.`;
}
