import type { IdentityForm, IdentityType } from '../../kit/index.js';
import { identitiesOfSql, inOrderOfTypes } from './member-rows-sql.js';

/** What sending a selection comes to. */
export interface SendCounts {
  members: number;
  /** Those among them that have no identity in any of the forms. */
  bare: number;
  /** Of all identity values. */
  bytes: number;
  /** Members with an identity of the type, in the order of the forms. */
  byType: { type: IdentityType; members: number }[];
}

/** The engine's answer: one row. */
export type SendCountsRow = Record<'members' | 'bare' | 'bytes', string> & { byType: string[] };

/** Query of one row, by the same identities that a delivery reads. */
export function sendCountsSql(workspace: number, members: string, forms: readonly IdentityForm[]): string {
  const places = inOrderOfTypes(forms);
  const ofTypes = typesOf(forms).map((type) => `countIf(bitAnd(mask, ${maskOf(places, type)}) != 0)`);
  return `SELECT count() AS members, countIf(mask = 1) AS bare, sum(size) AS bytes,
      [${ofTypes.join(', ')}]::Array(UInt64) AS byType
    FROM (
      SELECT mpid, groupBitOr(bitShiftLeft(toUInt64(1), place)) AS mask,
        sum(length(out)) AS size
      FROM (${identitiesOfSql(workspace, members, places)})
      GROUP BY mpid)`;
}

/** Query of one number: who of the members has any of the forms, or the values that they have in them, each once. */
export function sendableSql(
  workspace: number,
  members: string,
  forms: readonly IdentityForm[],
  of: 'members' | 'identities',
): string {
  const identities = identitiesOfSql(workspace, members, inOrderOfTypes(forms));
  const each = of === 'members' ? 'mpid' : 'place, out';
  return `SELECT count() AS n FROM (SELECT ${each} FROM (${identities}) WHERE place > 0 GROUP BY ${each})`;
}

/** @param row undefined: nobody */
export function sendCountsOf(row: SendCountsRow | undefined, forms: readonly IdentityForm[]): SendCounts {
  return {
    members: Number(row?.members ?? 0),
    bare: Number(row?.bare ?? 0),
    bytes: Number(row?.bytes ?? 0),
    byType: typesOf(forms).map((type, index) => ({ type, members: Number(row?.byType[index] ?? 0) })),
  };
}

function typesOf(forms: readonly IdentityForm[]): IdentityType[] {
  return [...new Set(forms.map(({ type }) => type))];
}

/** Bits of the places that a type has, counted from 1: bit 0 is of who has none. There are fewer forms than bits. */
function maskOf(places: readonly IdentityForm[], type: IdentityType): string {
  const bits = places.map((form, place) => (form.type === type ? 1n << BigInt(place + 1) : 0n));
  return `toUInt64(${bits.reduce((mask, bit) => mask | bit, 0n)})`;
}
