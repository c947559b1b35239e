import { IDENTITY_TYPES, type IdentityType } from '../../kit/identity-types.js';
import { foldHeader, labelOf, recogniseHeader, type RecognisedHeader } from './columns.js';
import type { ColumnMeaning, DataPartners } from '../../kit/input.js';
import { isPartnered, partnerLabel, partnerNamed } from './data-partners.js';
import { checkHeader, MAX_COLUMNS, tooManyColumns, type HeaderProblem } from './header-problems.js';
import { nearMissesIn } from './near-miss.js';
import { IDENTITY_PARTS, type Part } from './rules.js';

/** Which columns make one identity. A type that several columns hold (cell and landline) has several entries. */
export interface MappedIdentity {
  type: IdentityType;
  /** See {@link MappedColumn.partner}. */
  partner?: string;
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
  /**
   * Of voter ids and NPIs: whose they are, '' where nobody said. Absent in mappings from before ids had data partners:
   * their ids are taken as they are.
   */
  partner?: string;
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

/** A header that is probably misspelled. */
export interface HeaderHint {
  /** 1-based, as people count. */
  columnNumber: number;
  header: string;
  suggestion: string;
}

export type MappingResult = ({ mapping: ColumnMapping } | { problems: HeaderProblem[] }) & {
  hints: HeaderHint[];
};

/**
 * Maps a header to identities: every column that is an identity by itself, and every combination whose parts
 * are all there. Header case, spaces, `_` and `-` do not matter.
 *
 * @param meanings what the sender says of the columns; counts instead of what their names say
 * @param partners whose the voter ids and NPIs are where nothing else says it
 */
export function mapColumns(
  header: readonly string[],
  meanings?: readonly ColumnMeaning[],
  partners: DataPartners = {},
): MappingResult {
  if (header.length > MAX_COLUMNS) return { problems: [tooManyColumns(header.length)], hints: [] };
  const recognised = meanings
    ? recogniseNamed(header, meanings)
    : header.map((cell) => withPartner(recogniseHeader(cell), partners));
  const columnsOf = (part: Part) =>
    recognised.flatMap((found, column) => (found?.part === part ? [{ ...found, column }] : []));
  const identities = IDENTITY_TYPES.flatMap((type) => identitiesOf(type, columnsOf));
  const problems = checkHeader(header, identities.length > 0);
  if (meanings) problems.push(...missingColumns(recognised, meanings));
  if (problems.length > 0) {
    // Of data that stands where a header should, not even what resembles one is shown.
    const isData = problems.some(({ code }) => code === 'NO_HEADER');
    return { problems, hints: isData ? [] : hintsOf(header) };
  }
  const used = new Set(identities.flatMap((identity) => identity.columns));
  const columns = recognised.flatMap((found, column) =>
    found !== undefined && used.has(column)
      ? [{ part: found.part, header: header[column] ?? '', column, ...partnerIn(found) }]
      : [],
  );
  const attributes = header.flatMap((name, column) => (used.has(column) ? [] : [{ name, column }]));
  return { mapping: { identities, columns, attributes }, hints: meanings ? [] : hintsOf(header) };
}

/**
 * A column is the one of that name; where there is none, the first other one whose own name says the same field (the
 * sender wrote `FirstName`, the file `first name`, `Given Name` …).
 */
function recogniseNamed(
  header: readonly string[],
  meanings: readonly ColumnMeaning[],
): (RecognisedHeader | undefined)[] {
  const folded = header.map((cell) => foldHeader(cell));
  const found: (RecognisedHeader | undefined)[] = header.map(() => undefined);
  const named = new Set(meanings.map(({ column }) => foldHeader(column)));
  meanings.forEach(({ column, field, partner }, rank) => {
    if (field === null) return;
    const exact = folded.indexOf(foldHeader(column));
    const at =
      exact >= 0
        ? exact
        : header.findIndex((cell, index) => !named.has(folded[index] ?? '') && saysThe(field, cell));
    if (at >= 0) found[at] ??= { part: field as Part, rank, ...meantPartner(field, partner) };
  });
  return found;
}

/** Says of each voter id and NPI whose it is: what the header says, or the settings, or nobody (''). */
function withPartner(
  found: RecognisedHeader | undefined,
  partners: DataPartners,
): RecognisedHeader | undefined {
  if (found === undefined || !isPartnered(found.part) || found.partner !== undefined) return found;
  return { ...found, partner: partnerNamed(found.part, partners[found.part] ?? '') };
}

function meantPartner(field: string, partner: string | null | undefined): { partner?: string } {
  if (!isPartnered(field) || partner === undefined) return {};
  return { partner: partnerNamed(field, partner ?? '') };
}

const partnerIn = ({ partner }: { partner?: string }) => (partner === undefined ? {} : { partner });

/**
 * The mapping of a newer file, with columns that were locked before ids had data partners read as they were: their
 * people are known by the ids as they are. A partner that is set for the input counts, and is a changed mapping.
 */
export function keepingNamespaces(locked: ColumnMapping, next: ColumnMapping): ColumnMapping {
  const old = new Set(
    locked.columns
      .filter(({ part, partner }) => isPartnered(part) && partner === undefined)
      .map(({ part, header }) => `${part} ${foldHeader(header)}`),
  );
  const isOld = ({ part, header, partner }: MappedColumn) =>
    old.has(`${part} ${foldHeader(header)}`) && partner === (recogniseHeader(header)?.partner ?? '');
  const kept = new Set(next.columns.filter((column) => isOld(column)).map(({ column }) => column));
  if (kept.size === 0) return next;
  const columns = next.columns.map((column) => (kept.has(column.column) ? withoutPartner(column) : column));
  const identities = next.identities.map((identity) =>
    identity.columns.some((column) => kept.has(column)) ? withoutPartner(identity) : identity,
  );
  return { ...next, columns, identities };
}

function withoutPartner<T extends { partner?: string }>(one: T): T {
  const rest = { ...one };
  delete rest.partner;
  return rest;
}

const saysThe = (field: string, cell: string): boolean => recogniseHeader(cell)?.part === field;

function missingColumns(
  recognised: readonly (RecognisedHeader | undefined)[],
  meanings: readonly ColumnMeaning[],
): HeaderProblem[] {
  const wanted = meanings.flatMap(({ field }, rank) =>
    field === null ? [] : [{ part: field as Part, rank }],
  );
  return wanted
    .filter(({ rank }) => !recognised.some((one) => one?.rank === rank))
    .map(({ part }) => ({
      code: 'COLUMN_MISSING' as const,
      message: `The header has no column of the name that was given for ${labelOf(part)}. Correct the name, or leave it out.`,
    }));
}

function identitiesOf(
  type: IdentityType,
  columnsOf: (part: Part) => { column: number; rank: number; partner?: string }[],
): MappedIdentity[] {
  const [first, ...others] = IDENTITY_PARTS[type];
  if (first === undefined) return [];
  if (others.length === 0) {
    return columnsOf(first).map((found) => ({ type, columns: [found.column], ...partnerIn(found) }));
  }
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

/** What differs between two mappings, by field label; renamed = the same field under another header. Plain JSON. */
export interface MappingDifference {
  added: string[];
  removed: string[];
  renamed: { field: string; from: string; to: string }[];
  /** The same field in another form (raw before, a hash now), or of another data partner. */
  changed: { field: string; from: string; to: string }[];
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
  const renamed = paired(gone, come, (one, other) => samePart(one, other)).map(([from, to]) => ({
    field: labelOf(from.part),
    from: from.header,
    to: to.header,
  }));
  const changed = paired(gone, come, (one, other) => fieldOf(one.part) === fieldOf(other.part)).map(
    ([from, to]) => ({ field: labelOf(fieldOf(from.part)), from: formOf(from), to: formOf(to) }),
  );
  const removed = gone.map((column) => described(column));
  const added = come.map((column) => described(column));
  const found = { added, removed, renamed, changed };
  return { ...found, sentence: sentenceOf(found) };
}

/** Another data partner's ids are no other name of the same column. */
const samePart = (one: MappedColumn, other: MappedColumn): boolean =>
  one.part === other.part && (one.partner ?? '') === (other.partner ?? '');

/** Takes from both lists the columns that belong together, each with at most one of the other side. */
function paired(
  gone: MappedColumn[],
  come: MappedColumn[],
  belong: (one: MappedColumn, other: MappedColumn) => boolean,
): [MappedColumn, MappedColumn][] {
  const pairs: [MappedColumn, MappedColumn][] = [];
  for (const column of gone.slice()) {
    const index = come.findIndex((candidate) => belong(column, candidate));
    const [match] = index < 0 ? [] : come.splice(index, 1);
    if (match === undefined) continue;
    gone.splice(gone.indexOf(column), 1);
    pairs.push([column, match]);
  }
  return pairs;
}

/** The raw field that a hash is of; any other field is itself. */
function fieldOf(part: Part): Part {
  if (part.startsWith('email_')) return 'email';
  return part.startsWith('phone_') ? 'phone' : part;
}

/** `raw`, or the name of the hash; of ids with data partners, whose they are. */
function formOf({ part, partner }: MappedColumn): string {
  if (isPartnered(part)) return partnerLabel(partner);
  const field = fieldOf(part);
  return field === part ? 'raw' : labelOf(part).slice(labelOf(field).length).trim();
}

function withoutThoseIn(columns: readonly MappedColumn[], others: readonly MappedColumn[]): MappedColumn[] {
  const keyOf = ({ part, header, partner }: MappedColumn) => `${part} ${foldHeader(header)} ${partner}`;
  const keys = new Set(others.map((column) => keyOf(column)));
  return columns
    .filter((column) => !keys.has(keyOf(column)))
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function described({ part, header }: MappedColumn): string {
  const label = labelOf(part);
  return foldHeader(label) === foldHeader(header) ? label : `${label} ("${header}")`;
}

function sentenceOf({ added, removed, renamed, changed }: Omit<MappingDifference, 'sentence'>): string {
  const pieces = [
    ...(added.length > 0 ? [`added ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`removed ${removed.join(', ')}`] : []),
    ...(renamed.length > 0
      ? [`renamed ${renamed.map(({ field, from, to }) => `${field} from "${from}" to "${to}"`).join(', ')}`]
      : []),
    ...(changed.length > 0
      ? [`changed ${changed.map(({ field, from, to }) => `${field} from ${from} to ${to}`).join(', ')}`]
      : []),
  ];
  return pieces.length === 0 ? '' : `The column mapping changed: ${pieces.join('; ')}.`;
}
