import type { SharedAttribute } from '../../domain/identities/index.js';
import { sqlStrings } from '../../domain/sql-text.js';
import type { IdentityForm } from '../../kit/index.js';
import {
  codesOf,
  formsOfTypeSql,
  formValueSql,
  goToOneEach,
  mayLeaveOut,
  packedValueSql,
  type MpidCondition,
} from './sql.js';

/** As many as a byte can hold. */
const CODES = 256;

/** Forms at their places, and the codes of types that nobody has. */
export interface PlacedForms {
  places: readonly IdentityForm[];
  absent: ReadonlySet<number>;
}

/**
 * Query of `mpid, place, value`, see `MemberRows` of domain/members: identities of `members` in these forms; undefined:
 * of everybody in the range. Where {@link placesOfCodes} tells the places, codes of types stand for them.
 */
export function identityRowsSql(
  workspace: number,
  members: string | undefined,
  forms: PlacedForms,
  range: MpidCondition,
): string {
  const whose = members === undefined ? range : `${range} AND mpid IN (${members})`;
  // Those left out come empty, and are passed by: to filter them costs the engine a copy of all.
  const value = packedValueSql(forms.places, forms.absent);
  if (goToOneEach(forms.places))
    return `SELECT mpid, type, ${value} AS out FROM ${profilesSql(workspace, forms.places, whose)} ORDER BY mpid`;
  return `SELECT mpid, place, out FROM (${formsInSql(workspace, forms.places, value, whose)}) ORDER BY mpid`;
}

/**
 * The place of each code of a type, where every type goes to one place only. The engine is not asked to put one for the
 * other then, which costs it a third of a query. Undefined: some type goes to several.
 */
export function placesOfCodes(places: readonly IdentityForm[]): Uint8Array | undefined {
  if (!goToOneEach(places)) return undefined;
  const table = new Uint8Array(CODES);
  for (const [place, form] of places.entries()) for (const code of codesOf([form])) table[code] = place;
  return table;
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
      SELECT mpid, type, value, arrayJoin(${formsOfTypeSql(places)}) AS form
      FROM ${profilesSql(workspace, places, range)})`;
}

/** The rows of the profiles' table that these forms are made of. */
function profilesSql(workspace: number, places: readonly IdentityForm[], range: MpidCondition): string {
  const codes = codesOf(places).join(', ') || '0';
  return `profiles WHERE workspace = ${workspace} AND type IN (${codes}) AND ${range}`;
}

/** The forms with those of one type side by side, as they stand in a member's JSON; types in the order given. */
export function inOrderOfTypes(forms: readonly IdentityForm[]): IdentityForm[] {
  const firstOf = (type: string) => forms.findIndex((form) => form.type === type);
  return [...forms].sort((one, other) => firstOf(one.type) - firstOf(other.type));
}
