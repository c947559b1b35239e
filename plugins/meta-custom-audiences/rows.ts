import { createHash } from 'node:crypto';
import { type Batch, type IdentityForm, JsonPiece, JsonText, type MemberView } from '../../src/kit/index.js';
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
export interface Rows {
  /** Keys of the columns. */
  schema: readonly string[];
  /** JSON array of the rows, each an array of strings. */
  data: JsonText;
  /** How many rows. */
  size: number;
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
  const data = new JsonText();
  data.add(new JsonPiece(JSON.stringify([schema.map((_, index) => (index === 0 ? nobody : ''))])));
  return { schema, data, size: 1, owners: [] };
}

/** What one identifier is in the rows. */
interface Column {
  type: MetaIdentity;
  /** Its cells where a member has none. */
  empty: JsonPiece;
  /** Whether it is a combination, with a cell for each part and one for the country. */
  hasParts: boolean;
}

const [OPENING, NEXT_ROW, CLOSING] = [new JsonPiece('[['), new JsonPiece('],['), new JsonPiece(']]')];
const [COMMA, COUNTRY] = [new JsonPiece(','), new JsonPiece(`,"${US}"`)];
/** What stands in front of the rows in a body, at most; more would be in order, but slower. */
const HEAD_BYTES = 1024;

/**
 * A row for a member, and another one for every further value that it has of an identifier; in pieces of `most` rows.
 * All values are hashes in hexadecimal digits, which go from the batch into the body byte by byte.
 */
export async function rowsOf(
  { identifiers }: MetaSettings,
  batch: Batch<MetaIdentity>,
  most: number,
): Promise<Rows[]> {
  const schema = schemaOf(identifiers);
  const columns = inOrder(identifiers).map(columnOf);
  const pieces: Rows[] = [];
  let owners: number[] = [];
  let text = batch.text(HEAD_BYTES);
  const close = () => {
    text.add(CLOSING);
    pieces.push({ schema, data: text, size: owners.length, owners });
    owners = [];
  };
  await batch.visit((member, owner) => {
    let height = 0;
    for (const { type } of columns) height = Math.max(height, member.count(type));
    for (let row = 0; row < height; row += 1) {
      if (owners.length === most) close();
      if (owners.length === 0 && pieces.length > 0) text = batch.text(HEAD_BYTES);
      text.add(owners.length === 0 ? OPENING : NEXT_ROW);
      addRow(text, columns, member, row);
      owners.push(owner);
    }
  });
  if (owners.length > 0) close();
  return pieces;
}

function addRow(
  text: JsonText,
  columns: readonly Column[],
  member: MemberView<MetaIdentity>,
  row: number,
): void {
  let isFirst = true;
  for (const { type, empty, hasParts } of columns) {
    if (!isFirst) text.add(COMMA);
    isFirst = false;
    if (row >= member.count(type)) text.add(empty);
    else if (hasParts) {
      member.writeParts(text, type, row);
      text.add(COUNTRY);
    } else member.write(text, type, row);
  }
}

function columnOf(identifier: Identifier): Column {
  const { type, keys } = PARTS[identifier];
  return { type, empty: new JsonPiece(keys.map(() => '""').join(',')), hasParts: identifier === 'name' };
}

function schemaOf(identifiers: readonly Identifier[]): string[] {
  return inOrder(identifiers).flatMap((one) => [...PARTS[one].keys]);
}

function inOrder(identifiers: readonly Identifier[]): Identifier[] {
  return ORDER.filter((one) => identifiers.includes(one));
}
