import { memberObjects, MPID_BYTES, mpidAt, type MemberRows } from '../../src/domain/members/index.js';
import type { IdentityType, OutputMember } from '../../src/kit/index.js';

/** The rows that the engine would hand over of these members, ascending by mpid. */
export function memberRowsOf(members: readonly OutputMember[]): MemberRows {
  const types = [...new Set(members.flatMap((one) => Object.keys(one.identities)))] as IdentityType[];
  const names = [...new Set(members.flatMap((one) => Object.keys(one.attributes ?? {})))];
  const rows = members.flatMap(({ mpid, identities }) =>
    types.flatMap((type, place) => (identities[type] ?? []).map((value) => row(mpid, place, value))),
  );
  const own = members.flatMap(({ mpid, attributes = {} }) =>
    names.flatMap((name, place) => {
      const value = attributes[name];
      return value === undefined ? [] : [row(mpid, place, value)];
    }),
  );
  return {
    owners: Buffer.concat(members.map(({ mpid }) => int64(mpid))),
    identities: Buffer.concat(rows),
    attributes: Buffer.concat(own),
    types,
    packed: types.map(() => false),
    names,
  };
}

/** A row of `mpid, place, value` in the format RowBinary. */
export function row(mpid: string, place: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int64(mpid), Buffer.from([place]), lengthOf(bytes), bytes]);
}

/** Those who own these rows, each once. */
export function ownersOf({ owners }: MemberRows): string[] {
  return Array.from({ length: owners.length / MPID_BYTES }, (_, index) => mpidAt(owners, index * MPID_BYTES));
}

/** All owners, those without identities too. */
export function everybodyIn(rows: MemberRows): OutputMember[] {
  const start = { owner: 0, identity: 0, attribute: 0 };
  const found = memberObjects({ rows, start, end: rows.owners.length });
  const byMpid = new Map(found.map((one) => [one.mpid, one]));
  return ownersOf(rows).map((mpid) => byMpid.get(mpid) ?? { mpid, identities: {} });
}

export function int64(mpid: string): Buffer {
  const bytes = Buffer.alloc(MPID_BYTES);
  bytes.writeBigInt64LE(BigInt(mpid));
  return bytes;
}

function lengthOf({ length }: Buffer): Buffer {
  const bytes: number[] = [];
  let left = length;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}
