import { attributeColumns, ATTRIBUTE_CODE } from '../../../domain/identities/index.js';
import { sqlStrings } from '../../../domain/sql-text.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { appendIdentityChanges, MERGED } from '../../ledger/index.js';
import { attributeCellsSql, type SaidBy } from './attributes.js';
import type { ResolveRequest } from './resolve.js';

/** Which of the attributes a file has, of those that somebody shares with a partner. */
export function sharedInFile({ plan }: ResolveRequest, shared: ReadonlySet<string>): string[] {
  return attributeColumns(plan.mapping)
    .kept.map(({ key }) => key)
    .filter((key) => shared.has(key));
}

/**
 * Appends to the log of what profiles learn whose attributes of these keys the file changes. Under the workspace's
 * identity lease, and before the file's values are kept: cut off in between, the next run finds the same changes and tells
 * them again, which does no harm. What a later import said already is not changed.
 */
export async function logChangedAttributes(
  warehouse: Warehouse,
  request: ResolveRequest,
  { sequence, repeats }: SaidBy,
  keys: readonly string[],
): Promise<void> {
  const cells = await attributeCellsSql(warehouse, request, repeats);
  if (cells === undefined || keys.length === 0) return;
  const { workspace, plan } = request;
  const all = sqlStrings(attributeColumns(plan.mapping).kept.map(({ key }) => key));
  const select = `SELECT c.mpid AS mpid, ${ATTRIBUTE_CODE} AS type, toUInt128(0) AS hash, c.key AS value, 1 AS sign
    FROM (SELECT mpid, ${all}[place] AS key, value FROM (${cells}) WHERE key IN ${sqlStrings(keys)}) AS c
    LEFT JOIN (
      SELECT mpid, toString(key) AS known, argMax(value, import) AS said, max(import) AS at FROM attributes
      WHERE workspace = ${workspace} AND key IN ${sqlStrings(keys)} GROUP BY mpid, known
    ) AS k ON c.mpid = k.mpid AND c.key = k.known
    WHERE k.at = 0 OR (k.at <= ${sequence} AND k.said != c.value)`;
  await appendIdentityChanges(warehouse, workspace, select, MERGED);
}
