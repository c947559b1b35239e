import type { SharedAttribute } from '../../domain/identities/index.js';
import {
  MEMBER_BARE,
  MEMBER_BETWEEN,
  MEMBER_CLOSE,
  MEMBER_MIDDLE,
  MEMBER_OPEN,
} from '../../domain/members/index.js';
import { sqlString, sqlStrings } from '../../domain/sql-text.js';
import type { IdentityForm } from '../../kit/index.js';
import { attributeTextSql } from './attribute-text-sql.js';
import { codesOf, formsOfTypeSql, formValueSql, mayLeaveOut, MERGED, type MpidCondition } from './sql.js';

/** What the query needs. */
export const MEMBER_TEXT_SETTINGS = { ...MERGED, output_format_json_escape_forward_slashes: 0 } as const;

/**
 * Query of one column: pieces of the text in {@link MEMBER_OPEN}'s file, to be put one behind another.
 *
 * Identities and members are read in the order of their tables' keys and merged. Then each row writes its own
 * piece, knowing the row before it: that costs less than half of grouping the values of each member into a list.
 * The last ORDER BY is what holds the pieces together; without it the engine may hand them out in any order.
 */
export function memberTextSql(
  workspace: number,
  members: string,
  forms: readonly IdentityForm[],
  range: MpidCondition,
  attributes: readonly SharedAttribute[] = [],
): string {
  const places = inOrderOfTypes(forms);
  const own = attributes.length === 0 ? "''" : 'own';
  return `WITH before != 0 AND mpid_before = mpid AS same,
      same AND ${typeOfPlaceSql(places, 'toUInt8(before - 1)')} = ${typeOfPlaceSql(places, 'place')} AS again,
      again AND out = out_before AS twice
    SELECT concat(
      if(same, '', concat(if(before = 0, ${sqlString(MEMBER_OPEN)}, ${sqlString(NEXT)}), toString(mpid), ${sqlString(MEMBER_MIDDLE.slice(0, 1))}, ${own}, ${sqlString(MEMBER_MIDDLE.slice(1))})),
      if(again, if(twice, '', ','), ${headsSql(places)}[2 * place + 1 + same]),
      if(place = 0 OR twice, '', toJSONString(if(isValidUTF8(out), out, toValidUTF8(out))))) AS text
    FROM (
      SELECT mpid, place, out${attributes.length === 0 ? '' : ', own'}, lagInFrame(mpid) OVER above AS mpid_before,
        lagInFrame(toUInt8(place + 1)) OVER above AS before, lagInFrame(out) OVER above AS out_before
      FROM (${identitiesOfSql(workspace, members, places, range, attributes)})
      WINDOW above AS (ORDER BY mpid, place, out ROWS BETWEEN 1 PRECEDING AND CURRENT ROW))
    ORDER BY mpid, place, out`;
}

const NEXT = MEMBER_CLOSE + MEMBER_BETWEEN + MEMBER_OPEN;

/** Rows of `mpid, place, out`: a member's value in the form at `place`, counted from 1; 0 where it has none at all. */
export function identitiesOfSql(
  workspace: number,
  members: string,
  places: readonly IdentityForm[],
  range: MpidCondition,
  attributes: readonly SharedAttribute[],
): string {
  const [own, owners] =
    attributes.length === 0
      ? ['', members]
      : [', m.own AS own', withAttributesSql(members, attributeTextSql(workspace, attributes, range))];
  return `SELECT m.mpid AS mpid, i.place AS place, i.out AS out${own} FROM (${owners}) AS m LEFT JOIN (
      SELECT mpid, toUInt8(form + 1) AS place, ${formValueSql(places)} AS out
      FROM (
        SELECT mpid, type, value, ${placesOfTypeSql(places)} AS form FROM profiles
        WHERE workspace = ${workspace} AND type IN (${codesOf(places).join(', ') || '0'}) AND ${range})
      ${mayLeaveOut(places) ? "WHERE out != ''" : ''}
    ) AS i ON m.mpid = i.mpid`;
}

/** `SELECT mpid, own` of the members: their attributes as they stand in their JSON, or ''. */
function withAttributesSql(members: string, attributes: string): string {
  return `SELECT o.mpid AS mpid, a.own AS own FROM (${members}) AS o LEFT JOIN (${attributes}) AS a ON o.mpid = a.mpid`;
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

/** Expression (UInt8) of one number for all places of a type. */
function typeOfPlaceSql(places: readonly IdentityForm[], place: string): string {
  const types = places.map(({ type }) => type);
  if (new Set(types).size === types.length) return place;
  const numbers = types.map((type) => `toUInt8(${types.indexOf(type) + 1})`);
  return `transform(${place}, [${numbers.map((_, index) => index + 1).join(', ')}], [${numbers.join(', ')}], toUInt8(0))`;
}

/** What stands in front of the first value of a place: at 2n + 1 for the first of a member, at 2n + 2 behind another. */
function headsSql(places: readonly IdentityForm[]): string {
  const heads = places.flatMap(({ type }) => {
    const head = `${JSON.stringify(type)}:[`;
    return [head, `],${head}`];
  });
  return sqlStrings([MEMBER_BARE, MEMBER_BARE, ...heads]);
}
