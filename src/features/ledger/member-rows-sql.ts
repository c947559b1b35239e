import type { SharedAttribute } from '../../domain/identities/index.js';
import { sqlStrings } from '../../domain/sql-text.js';
import type { IdentityForm } from '../../kit/index.js';
import {
  codesOf,
  formsOfTypeSql,
  formValueSql,
  mayLeaveOut,
  packedValueSql,
  type MpidCondition,
} from './sql.js';

/** Forms at their places, and the codes of types that nobody has. */
export interface PlacedForms {
  places: readonly IdentityForm[];
  absent: ReadonlySet<number>;
}

/**
 * Query of `mpid, place, value`, see `MemberRows` of domain/members: identities of `members` in these forms; undefined:
 * of everybody in the range.
 */
export function identityRowsSql(
  workspace: number,
  members: string | undefined,
  forms: PlacedForms,
  range: MpidCondition,
): string {
  const whose = members === undefined ? range : `${range} AND mpid IN (${members})`;
  const value = packedValueSql(forms.places, forms.absent);
  // Those left out come empty, and are passed by: to filter them costs the engine a copy of all.
  return `SELECT mpid, place, out FROM (${formsInSql(workspace, forms.places, value, whose)}) ORDER BY mpid`;
}

/** The same of attributes. Of what several imports said, the one with the highest sequence counts. */
export function attributeRowsSql(
  workspace: number,
  members: string,
  attributes: readonly SharedAttribute[],
  range: MpidCondition,
): string {
  const keys = sqlStrings(attributes.map(({ key }) => key));
  return `SELECT mpid, toUInt8(indexOf(${keys}, key) - 1) AS place, argMax(value, import) AS said FROM attributes
    WHERE workspace = ${workspace} AND key IN ${keys} AND ${range} AND mpid IN (${members})
    GROUP BY workspace, mpid, key ORDER BY mpid, place`;
}

/** Rows of `mpid, place, out`: a member's value in the form at `place`, counted from 1; 0 where it has none at all. */
export function identitiesOfSql(workspace: number, members: string, places: readonly IdentityForm[]): string {
  return `SELECT m.mpid AS mpid, i.place AS place, i.out AS out FROM (${members}) AS m LEFT JOIN (
      SELECT mpid, toUInt8(place + 1) AS place, out FROM (${formsInSql(workspace, places, formValueSql(places), '1')})
      ${mayLeaveOut(places) ? "WHERE out != ''" : ''}
    ) AS i ON m.mpid = i.mpid`;
}

/** Rows of `mpid, place, out`, in the order of the profiles' table: each identity in each form that it goes to; '' where that leaves it out. */
function formsInSql(
  workspace: number,
  places: readonly IdentityForm[],
  value: string,
  range: MpidCondition,
): string {
  return `SELECT mpid, form AS place, ${value} AS out
    FROM (
      SELECT mpid, type, value, ${placesOfTypeSql(places)} AS form FROM profiles
      WHERE workspace = ${workspace} AND type IN (${codesOf(places).join(', ') || '0'}) AND ${range})`;
}

/** A row for every place that a type goes to; where each goes to one only, without making lists of them. */
function placesOfTypeSql(places: readonly IdentityForm[]): string {
  const codes = codesOf(places);
  if (new Set(codes).size < codes.length) return `arrayJoin(${formsOfTypeSql(places)})`;
  const pairs = places.flatMap((form, place) => codesOf([form]).map((code) => ({ code, place })));
  const [from, to] = [pairs.map(({ code }) => code), pairs.map(({ place }) => `toUInt8(${place})`)];
  return from.length === 0
    ? 'toUInt8(0)'
    : `transform(type, [${from.join(', ')}], [${to.join(', ')}], toUInt8(0))`;
}

/** The forms with those of one type side by side, as they stand in a member's JSON; types in the order given. */
export function inOrderOfTypes(forms: readonly IdentityForm[]): IdentityForm[] {
  const firstOf = (type: string) => forms.findIndex((form) => form.type === type);
  return [...forms].sort((one, other) => firstOf(one.type) - firstOf(other.type));
}
