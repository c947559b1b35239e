import { createHash } from 'node:crypto';
import type { Batch, IdentityForm } from '../../src/kit/index.js';
import type { Identifier, MetaSettings } from './settings.js';

export type MetaIdentity = 'email' | 'phone' | 'first_last_zip_state' | 'customer_id';

const PROFILE = 'meta@2024-07';
/** The state and the ZIP of a combination are those of the United States. */
const US = createHash('sha256').update('us').digest('hex');

/** What an identifier is made of, and the keys that Meta knows it by. */
const PARTS = {
  email: { type: 'email', keys: ['EMAIL'] },
  phone: { type: 'phone', keys: ['PHONE'] },
  name: { type: 'first_last_zip_state', keys: ['FN', 'LN', 'ZIP', 'ST', 'COUNTRY'] },
  customer_id: { type: 'customer_id', keys: ['EXTERN_ID'] },
} as const satisfies Record<Identifier, { type: MetaIdentity; keys: readonly string[] }>;

const ORDER = ['email', 'phone', 'name', 'customer_id'] as const satisfies readonly Identifier[];

/** The members of a batch as Meta takes them, and whose row each is. */
export interface Rows {
  /** Keys of the columns. */
  schema: readonly string[];
  /** JSON arrays of strings. */
  rows: readonly string[];
  /** The member in the batch that each row is of. */
  owners: readonly number[];
}

/** Identities that these settings send. */
export function formsOf(identifiers: readonly Identifier[]): IdentityForm<MetaIdentity>[] {
  return inOrder(identifiers).map((one) => ({ type: PARTS[one].type, encoding: 'sha256', profile: PROFILE }));
}

/** Rows that match nobody; Meta takes no batch without any. */
export function rowOfNobody({ identifiers }: MetaSettings, seed: string): Rows {
  const schema = schemaOf(identifiers);
  const nobody = createHash('sha256').update(`nobody:${seed}`).digest('hex');
  return {
    schema,
    rows: [JSON.stringify(schema.map((_, index) => (index === 0 ? nobody : '')))],
    owners: [],
  };
}

/**
 * A row for a member, and another one for every further value that it has of an identifier. All values are hashes in
 * hexadecimal digits, so that rows are put together as texts.
 */
export function rowsOf({ identifiers }: MetaSettings, { members }: Batch<MetaIdentity>): Rows {
  const used = inOrder(identifiers);
  const rows: string[] = [];
  const owners: number[] = [];
  const columns = used.map((one) => ({
    type: PARTS[one].type,
    empty: emptyCells(one),
    cells: one === 'name' ? nameCells : quoted,
  }));
  // Plain loops: a delivery goes through them once a person.
  for (const [owner, { identities }] of members.entries()) {
    let height = 0;
    for (const { type } of columns) height = Math.max(height, identities[type]?.length ?? 0);
    for (let row = 0; row < height; row += 1) {
      let text = '[';
      for (const { type, empty, cells } of columns) {
        const value = identities[type]?.[row];
        if (text !== '[') text += ',';
        text += value === undefined ? empty : cells(value);
      }
      rows.push(`${text}]`);
      owners.push(owner);
    }
  }
  return { schema: schemaOf(identifiers), rows, owners };
}

/** A part of the rows, small enough for a request. */
export function piecesOf({ schema, rows, owners }: Rows, size: number): Rows[] {
  if (rows.length <= size) return rows.length === 0 ? [] : [{ schema, rows, owners }];
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, piece) => ({
    schema,
    rows: rows.slice(piece * size, (piece + 1) * size),
    owners: owners.slice(piece * size, (piece + 1) * size),
  }));
}

function schemaOf(identifiers: readonly Identifier[]): string[] {
  return inOrder(identifiers).flatMap((one) => [...PARTS[one].keys]);
}

function inOrder(identifiers: readonly Identifier[]): Identifier[] {
  return ORDER.filter((one) => identifiers.includes(one));
}

function emptyCells(identifier: Identifier): string {
  return PARTS[identifier].keys.map(() => '""').join(',');
}

function quoted(value: string): string {
  return `"${value}"`;
}

/** Hashes of first name, last name, ZIP and state, joined by `|`, and the country. */
function nameCells(value: string): string {
  return `"${value.replaceAll('|', '","')}","${US}"`;
}
