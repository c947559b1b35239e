import type { SharedAttribute } from '../../domain/identities/index.js';
import { ATTRIBUTES_CLOSE, ATTRIBUTES_OPEN } from '../../domain/members/index.js';
import { sqlString, sqlStrings } from '../../domain/sql-text.js';
import type { MpidCondition } from './sql.js';

/**
 * `SELECT mpid, own` of the profiles in a range that have any of the attributes: what stands of them in a member's
 * JSON, in the order chosen. Of what several imports said, the one with the highest sequence counts.
 */
export function attributeTextSql(
  workspace: number,
  attributes: readonly SharedAttribute[],
  range: MpidCondition,
): string {
  const keys = sqlStrings(attributes.map(({ key }) => key));
  const heads = sqlStrings(attributes.map(({ name }) => `${JSON.stringify(name)}:`));
  const text = 'toJSONString(if(isValidUTF8(said), said, toValidUTF8(said)))';
  return `SELECT mpid, concat(${sqlString(ATTRIBUTES_OPEN)},
      arrayStringConcat(arrayMap(one -> concat(${heads}[one.1], one.2), arraySort(groupArray((place, ${text})))), ','),
      ${sqlString(ATTRIBUTES_CLOSE)}) AS own
    FROM (
      SELECT mpid, toUInt8(indexOf(${keys}, key)) AS place, argMax(value, import) AS said FROM attributes
      WHERE workspace = ${workspace} AND key IN ${keys} AND ${range}
      GROUP BY workspace, mpid, key)
    GROUP BY mpid`;
}
