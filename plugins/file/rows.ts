import { stringify } from 'csv-stringify/sync';
import type { OutputMember } from '../../src/kit/index.js';

/** What a file of this output is written in. */
export type FileFormat = 'csv' | 'ndjson';

/** What a row says besides the identity. */
export type Operation = 'add' | 'remove';

/** Members turned into text at once; the event loop gets its turn between two slices. */
const SLICE_MEMBERS = 500;

/** How the rows of a file look. */
export interface RowLayout {
  format: FileFormat;
  /** Names of the attributes that each row has besides; columns of a CSV. */
  attributes: readonly string[];
  operation?: Operation;
}

const MEMBER_COLUMNS = ['mpid', 'identity_type', 'identity_value'];

/** The first line of a CSV; empty for NDJSON, which has none. */
export function headerOf({ format, attributes, operation }: RowLayout): string {
  if (format === 'ndjson') return '';
  return stringify([[...MEMBER_COLUMNS, ...(operation ? ['operation'] : []), ...attributes]]);
}

/** One row per identity of each member, in the members' order, in pieces of UTF-8. */
export async function* rowsOf(
  members: readonly OutputMember[],
  layout: RowLayout,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < members.length; start += SLICE_MEMBERS) {
    const identities = members.slice(start, start + SLICE_MEMBERS).flatMap(identitiesOf);
    yield Buffer.from(layout.format === 'csv' ? csvOf(identities, layout) : ndjsonOf(identities, layout));
    await new Promise(setImmediate);
  }
}

interface Identity {
  mpid: string;
  type: string;
  value: string;
  /** The member's, on each of its rows. */
  own: Readonly<Record<string, string>>;
}

function identitiesOf({ mpid, identities, attributes: own = {} }: OutputMember): Identity[] {
  return Object.entries(identities).flatMap(([type, values]) =>
    values.map((value): Identity => ({ mpid, type, value, own })),
  );
}

function csvOf(identities: readonly Identity[], { attributes, operation }: RowLayout): string {
  return stringify(
    identities.map(({ mpid, type, value, own }) => [
      mpid,
      type,
      value,
      ...(operation ? [operation] : []),
      ...attributes.map((name) => (Object.hasOwn(own, name) ? own[name] : '')),
    ]),
  );
}

function ndjsonOf(identities: readonly Identity[], { operation }: RowLayout): string {
  return identities
    .map(({ mpid, type, value, own }) =>
      JSON.stringify({
        mpid,
        identity_type: type,
        identity_value: value,
        ...(operation ? { operation } : {}),
        ...(Object.keys(own).length > 0 ? { attributes: own } : {}),
      }),
    )
    .map((line) => `${line}\n`)
    .join('');
}
