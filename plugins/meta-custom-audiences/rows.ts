import { createHash } from 'node:crypto';
import { type Batch, type IdentityForm, JsonText, type MemberView } from '../../src/kit/index.js';
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
  data: Buffer;
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
  const data = Buffer.from(JSON.stringify([schema.map((_, index) => (index === 0 ? nobody : ''))]));
  return { schema, data, size: 1, owners: [] };
}

/** What one identifier is in the rows. */
interface Column {
  type: MetaIdentity;
  /** Its cells where a member has none. */
  empty: Uint8Array;
  add: (value: Uint8Array) => void;
}

const [OPENING, NEXT_ROW, CLOSING] = [Buffer.from('[['), Buffer.from('],['), Buffer.from(']]')];
const [COMMA, COUNTRY] = [Buffer.from(','), Buffer.from(`,"${US}"`)];
const SEPARATOR = '|'.charCodeAt(0);
const HASH_DIGITS = 64;

/** One batch at a time is written, from its beginning to its end. */
const text = new JsonText();

/**
 * A row for a member, and another one for every further value that it has of an identifier; in pieces of `most` rows.
 * All values are hashes in hexadecimal digits, which go from the batch into the body byte by byte.
 */
export function rowsOf({ identifiers }: MetaSettings, batch: Batch<MetaIdentity>, most: number): Rows[] {
  const schema = schemaOf(identifiers);
  const columns = inOrder(identifiers).map(columnOf);
  const pieces: Rows[] = [];
  let owners: number[] = [];
  const close = () => {
    text.add(CLOSING);
    pieces.push({ schema, data: text.copy(), size: owners.length, owners });
    owners = [];
  };
  batch.visit((member, owner) => {
    let height = 0;
    for (const { type } of columns) height = Math.max(height, member.count(type));
    for (let row = 0; row < height; row += 1) {
      if (owners.length === most) close();
      if (owners.length === 0) text.clear();
      text.add(owners.length === 0 ? OPENING : NEXT_ROW);
      addRow(columns, member, row);
      owners.push(owner);
    }
  });
  if (owners.length > 0) close();
  return pieces;
}

/** The rows of a piece, each as its JSON. */
export function rowTexts({ data }: Rows): string[] {
  return (JSON.parse(data.toString('latin1')) as string[][]).map((row) => JSON.stringify(row));
}

function addRow(columns: readonly Column[], member: MemberView<MetaIdentity>, row: number): void {
  let isFirst = true;
  for (const { type, empty, add } of columns) {
    if (!isFirst) text.add(COMMA);
    isFirst = false;
    if (row < member.count(type)) add(member.value(type, row));
    else text.add(empty);
  }
}

function columnOf(identifier: Identifier): Column {
  const { type, keys } = PARTS[identifier];
  const empty = Buffer.from(keys.map(() => '""').join(','));
  return { type, empty, add: identifier === 'name' ? addName : addHash };
}

function addHash(value: Uint8Array): void {
  text.addString(value, 0, value.length);
}

/** Hashes of first name, last name, ZIP and state, joined by `|`, and the country. */
function addName(value: Uint8Array): void {
  let from = 0;
  for (let to = endOfPart(value, from); to !== -1; to = endOfPart(value, from)) {
    text.addString(value, from, to);
    text.add(COMMA);
    from = to + 1;
  }
  text.addString(value, from, value.length);
  text.add(COUNTRY);
}

/** Mostly behind the digits of a hash; -1: it is the last part. */
function endOfPart(value: Uint8Array, from: number): number {
  return value[from + HASH_DIGITS] === SEPARATOR ? from + HASH_DIGITS : value.indexOf(SEPARATOR, from);
}

function schemaOf(identifiers: readonly Identifier[]): string[] {
  return inOrder(identifiers).flatMap((one) => [...PARTS[one].keys]);
}

function inOrder(identifiers: readonly Identifier[]): Identifier[] {
  return ORDER.filter((one) => identifiers.includes(one));
}
