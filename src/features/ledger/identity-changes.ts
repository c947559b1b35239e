import type { Warehouse } from '../../platform/warehouse/index.js';

/** Changes of identities after one sequence number and up to another. */
export interface IdentityRange {
  after: number;
  upTo: number;
}

/**
 * Appends changes of identities of known profiles, `select` being `SELECT mpid, type, hash, value, sign`, under the
 * next sequence number of the workspace. Only under the workspace's identity lease. Written twice, it is told twice,
 * which does no harm: members are sent as they are. Returns the number, or undefined where nothing was selected.
 */
export async function appendIdentityChanges(
  warehouse: Warehouse,
  workspace: number,
  select: string,
): Promise<number | undefined> {
  const [row] = await warehouse.query<{ changes: string; last: string }>(
    `SELECT (SELECT count() FROM (${select})) AS changes,
       (SELECT max(seq) FROM identity_changes WHERE workspace = ${workspace}) AS last`,
    { lane: 'bulk' },
  );
  if (Number(row?.changes ?? 0) === 0) return undefined;
  const sequence = Number(row?.last ?? 0) + 1;
  await warehouse.command(
    `INSERT INTO identity_changes SELECT ${workspace}, ${sequence}, mpid, type, hash, value, sign FROM (${select})`,
    { lane: 'bulk' },
  );
  return sequence;
}

/**
 * Keeps the place of the newest number, whoever's changes are deleted: it would be given again, and whoever has heard of
 * it would not hear what is new. Under the workspace's identity lease; the row says nothing of anybody.
 */
export async function keepSequence(warehouse: Warehouse, workspace: number): Promise<void> {
  await warehouse.command(
    `INSERT INTO identity_changes
     SELECT workspace, max(seq), 0, 0, toUInt128(0), '', 0 FROM identity_changes WHERE workspace = ${workspace} GROUP BY workspace`,
  );
}

/** `table WHERE condition` of what profiles of a workspace learned, of the types with these codes. */
export function learnedSql(
  workspace: number,
  { after, upTo }: IdentityRange,
  codes?: readonly number[],
): string {
  const types = codes === undefined ? '1' : `type IN (${codes.join(', ') || '0'})`;
  return `identity_changes WHERE workspace = ${workspace} AND seq > ${after} AND seq <= ${upTo} AND sign = 1 AND ${types}`;
}

/**
 * Which of the audiences ever had members who learned something, and codes of the identity types that those learned.
 * Costs by what was learned, not by the size of the audiences.
 */
export async function audiencesThatLearned(
  warehouse: Warehouse,
  workspace: number,
  audienceIds: readonly number[],
  range: IdentityRange,
): Promise<Map<number, number[]>> {
  if (audienceIds.length === 0) return new Map();
  const learned = learnedSql(workspace, range);
  const rows = await warehouse.query<{ audience: string; types: number[] }>(
    `SELECT m.audience_id AS audience, groupUniqArray(c.type) AS types
     FROM (SELECT DISTINCT audience_id, mpid FROM ledger
           WHERE audience_id IN (${audienceIds.join(', ')}) AND mpid IN (SELECT mpid FROM ${learned})) AS m
     INNER JOIN (SELECT DISTINCT mpid, type FROM ${learned}) AS c ON m.mpid = c.mpid
     GROUP BY audience ORDER BY audience`,
    { lane: 'bulk' },
  );
  return new Map(rows.map(({ audience, types }) => [Number(audience), types.map(Number)]));
}
