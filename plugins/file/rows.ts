import { stringify } from 'csv-stringify/sync';
import type { OutputMember } from '../../src/kit/index.js';

/** What a file of this output is written in. */
export type FileFormat = 'csv' | 'ndjson';

/** What a row says besides the identity. */
export type Operation = 'add' | 'remove';

/** Members turned into text at once; the event loop gets its turn between two slices. */
const SLICE_MEMBERS = 500;

const MEMBER_COLUMNS = ['mpid', 'identity_type', 'identity_value'];

/** The first line of a CSV; empty for NDJSON, which has none. */
export function headerOf(format: FileFormat, operation?: Operation): string {
  if (format === 'ndjson') return '';
  return stringify([operation ? [...MEMBER_COLUMNS, 'operation'] : MEMBER_COLUMNS]);
}

/** One row per identity of each member, in the members' order, in pieces of UTF-8. */
export async function* rowsOf(
  members: readonly OutputMember[],
  format: FileFormat,
  operation?: Operation,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < members.length; start += SLICE_MEMBERS) {
    const identities = members.slice(start, start + SLICE_MEMBERS).flatMap(identitiesOf);
    const text = format === 'csv' ? csvOf(identities, operation) : ndjsonOf(identities, operation);
    yield Buffer.from(text);
    await new Promise(setImmediate);
  }
}

type Identity = [mpid: string, type: string, value: string];

function identitiesOf({ mpid, identities }: OutputMember): Identity[] {
  return Object.entries(identities).flatMap(([type, values]) =>
    values.map((value): Identity => [mpid, type, value]),
  );
}

function csvOf(identities: readonly Identity[], operation?: Operation): string {
  return stringify(identities.map((identity) => (operation ? [...identity, operation] : identity)));
}

function ndjsonOf(identities: readonly Identity[], operation?: Operation): string {
  return identities
    .map(([mpid, type, value]) =>
      JSON.stringify({
        mpid,
        identity_type: type,
        identity_value: value,
        ...(operation ? { operation } : {}),
      }),
    )
    .map((line) => `${line}\n`)
    .join('');
}
