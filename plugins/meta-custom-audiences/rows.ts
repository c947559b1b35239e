import { createHash } from 'node:crypto';
import {
  type Batch,
  type IdentityForm,
  JsonText,
  type RowColumn,
  type RowsJson,
} from '../../src/kit/index.js';
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

/** Members as Meta takes them, few enough for a request, and whose row each is. */
export interface Rows extends RowsJson {
  /** Keys of the columns. */
  schema: readonly string[];
}

/** Identities that these settings send. */
export function formsOf(identifiers: readonly Identifier[]): IdentityForm<MetaIdentity>[] {
  return inOrder(identifiers).map((one) => ({ type: PARTS[one].type, encoding: 'sha256', profile: PROFILE }));
}

/** Rows that match nobody; Meta takes no batch without any. */
export function rowOfNobody({ identifiers }: MetaSettings, seed: string): Rows {
  const schema = schemaOf(identifiers);
  const nobody = createHash('sha256').update(`nobody:${seed}`).digest('hex');
  const data = new JsonText();
  data.add(JSON.stringify([schema.map((_, index) => (index === 0 ? nobody : ''))]));
  return { schema, data, size: 1, owners: [] };
}

/** What stands in front of the rows in a body, at most; more would be in order, but slower. */
const HEAD_BYTES = 1024;

/**
 * A row for a member, and another one for every further value that it has of an identifier; in pieces of `most` rows.
 * All values are hashes in hexadecimal digits.
 */
export async function rowsOf(
  { identifiers }: MetaSettings,
  batch: Batch<MetaIdentity>,
  most: number,
): Promise<Rows[]> {
  const schema = schemaOf(identifiers);
  const columns = inOrder(identifiers).map(columnOf);
  const pieces = await batch.rowsJson(columns, { most, room: HEAD_BYTES });
  return pieces.map((piece) => ({ schema, ...piece }));
}

/** A combination has a cell for each part, and one for the country. */
function columnOf(identifier: Identifier): RowColumn<MetaIdentity> {
  const { type, keys } = PARTS[identifier];
  const empty = keys.map(() => '""').join(',');
  return identifier === 'name' ? { type, hasParts: true, empty, behind: `,"${US}"` } : { type, empty };
}

function schemaOf(identifiers: readonly Identifier[]): string[] {
  return inOrder(identifiers).flatMap((one) => [...PARTS[one].keys]);
}

function inOrder(identifiers: readonly Identifier[]): Identifier[] {
  return ORDER.filter((one) => identifiers.includes(one));
}
