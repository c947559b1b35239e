import { createHash } from 'node:crypto';
import { stringify } from 'csv-stringify/sync';
import { IDENTITY_TYPES, type OutputMember } from '../../src/kit/index.js';
import { isHashType } from './hash-type.js';
import type { Column, SftpSettings } from './settings.js';

/** What rows say besides who is meant. */
export interface RowFacts {
  audience: string;
  operation: 'add' | 'remove';
  version: number;
}

/** How the rows of a file look. */
export interface Sheet extends Pick<SftpSettings, 'rows' | 'columns' | 'content' | 'delimiter' | 'header'> {
  /** Names of the attributes that have a column each, behind all others. */
  attributes: readonly string[];
}

const DELIMITERS = { comma: ',', tab: '\t', pipe: '|' } as const;
/** Members turned into text at once; the event loop gets its turn between two slices. */
const SLICE_MEMBERS = 500;

/** The columns of the settings, or those of a row per identity. */
export function columnsOf({ columns, content }: Pick<Sheet, 'columns' | 'content'>): readonly Column[] {
  if (columns) return columns;
  const froms = ['mpid', 'identity_type', 'identity_value'] as const;
  const all = content === 'changes' ? [...froms, 'operation' as const] : froms;
  return all.map((from) => ({ header: from, from, encoding: 'raw' as const }));
}

/** The line that names the columns; empty where the settings want none. */
export function headerOf(sheet: Sheet): string {
  if (!sheet.header) return '';
  return stringify([[...columnsOf(sheet).map(({ header }) => header), ...sheet.attributes]], {
    delimiter: DELIMITERS[sheet.delimiter],
  });
}

/** The rows of `members`, as text. */
export async function rowsOf(
  sheet: Sheet,
  members: readonly OutputMember[],
  facts: RowFacts,
): Promise<string> {
  const columns = columnsOf(sheet);
  const rows = sheet.rows === 'identity' ? identityRows : memberRows;
  const texts: string[] = [];
  for (let start = 0; start < members.length; start += SLICE_MEMBERS) {
    const cells = members.slice(start, start + SLICE_MEMBERS).flatMap((member) => {
      const own = attributeCells(sheet.attributes, member);
      return rows(columns, member, facts).map((row) => [...row, ...own]);
    });
    texts.push(stringify(cells, { delimiter: DELIMITERS[sheet.delimiter] }));
    await new Promise(setImmediate);
  }
  return texts.join('');
}

/** The member's, on each of its rows. Members who leave have none; their columns are empty. */
function attributeCells(names: readonly string[], { attributes = {} }: OutputMember): string[] {
  return names.map((name) => (Object.hasOwn(attributes, name) ? (attributes[name] ?? '') : ''));
}

function identityRows(columns: readonly Column[], member: OutputMember, facts: RowFacts): string[][] {
  return identitiesOf(member).map(([type, value]) =>
    columns.map((column) => {
      if (column.from === 'identity_type') return type;
      if (column.from === 'identity_value') return encoded(type, value, column);
      return plainCell(column, member.mpid, facts);
    }),
  );
}

/**
 * As many rows as it takes to name every identity: columns of one type and encoding share its values out
 * among them from left to right, and go on in a further row where there are more values than columns.
 */
function memberRows(columns: readonly Column[], { mpid, identities }: OutputMember, facts: RowFacts) {
  const seats = seatsOf(columns);
  const needed = seats.map((seat) => (seat ? Math.ceil((identities[seat.type]?.length ?? 0) / seat.of) : 1));
  return Array.from({ length: Math.max(1, ...needed) }, (_, row) =>
    columns.map((column, index) => {
      const seat = seats[index];
      if (!seat) return plainCell(column, mpid, facts);
      const value = identities[seat.type]?.[row * seat.of + seat.place];
      return value === undefined ? '' : encoded(seat.type, value, column);
    }),
  );
}

/** Of each identity column, its place among those of the same type and encoding. */
function seatsOf(columns: readonly Column[]) {
  return columns.map(({ from, encoding }, index) => {
    const type = IDENTITY_TYPES.find((one) => one === from);
    if (type === undefined) return undefined;
    const alike = columns.flatMap((one, at) => (one.from === from && one.encoding === encoding ? [at] : []));
    return { type, of: alike.length, place: alike.indexOf(index) };
  });
}

function identitiesOf({ identities }: OutputMember): [string, string][] {
  return Object.entries(identities).flatMap(([type, values]) =>
    values.map((value): [string, string] => [type, value]),
  );
}

function plainCell({ from, text }: Column, mpid: string, facts: RowFacts): string {
  if (from === 'mpid') return mpid;
  if (from === 'audience') return facts.audience;
  if (from === 'operation') return facts.operation;
  if (from === 'version') return String(facts.version);
  return text ?? '';
}

/** The value as the column wants it; what is a hash already stays what it is. */
function encoded(type: string, value: string, { encoding }: Column): string {
  return encoding === 'raw' || isHashType(type) ? value : createHash(encoding).update(value).digest('hex');
}
