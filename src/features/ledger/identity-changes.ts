import { ATTRIBUTE_CODE } from '../../domain/identities/identity-codes.js';
import { sqlStrings } from '../../domain/sql-text.js';
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
  settings: Record<string, string | number> = {},
): Promise<number | undefined> {
  const [row] = await warehouse.query<{ changes: string; last: string }>(
    `SELECT (SELECT count() FROM (${select})) AS changes,
       (SELECT max(seq) FROM identity_changes WHERE workspace = ${workspace}) AS last`,
    { lane: 'bulk', settings },
  );
  if (Number(row?.changes ?? 0) === 0) return undefined;
  const sequence = Number(row?.last ?? 0) + 1;
  await warehouse.command(
    `INSERT INTO identity_changes SELECT ${workspace}, ${sequence}, mpid, type, hash, value, sign FROM (${select})`,
    { lane: 'bulk', settings },
  );
  return sequence;
}

/** The newest number of the workspace; 0: nobody learned anything. */
export async function newestSequence(warehouse: Warehouse, workspace: number): Promise<number> {
  const [row] = await warehouse.query<{ last: string }>(
    `SELECT max(seq) AS last FROM identity_changes WHERE workspace = ${workspace}`,
  );
  return Number(row?.last ?? 0);
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

/** What somebody wants to hear of: identities of the types with these codes, and attributes with these keys. */
export interface LearnedOf {
  codes: readonly number[];
  attributes: readonly string[];
}

/** `table WHERE condition` of what profiles of a workspace learned. */
export function learnedSql(workspace: number, { after, upTo }: IdentityRange, of?: LearnedOf): string {
  const attributes = of?.attributes.length
    ? ` OR type = ${ATTRIBUTE_CODE} AND value IN ${sqlStrings(of.attributes)}`
    : '';
  const types = of === undefined ? '1' : `(type IN (${of.codes.join(', ') || '0'})${attributes})`;
  return `identity_changes WHERE workspace = ${workspace} AND seq > ${after} AND seq <= ${upTo} AND sign = 1 AND ${types}`;
}

/**
 * Which of the audiences ever had members who learned something, and what those learned. Costs by what was learned, not by
 * the size of the audiences.
 */
export async function audiencesThatLearned(
  warehouse: Warehouse,
  workspace: number,
  audienceIds: readonly number[],
  range: IdentityRange,
): Promise<Map<number, LearnedOf>> {
  if (audienceIds.length === 0) return new Map();
  const learned = learnedSql(workspace, range);
  const rows = await warehouse.query<{ audience: string; codes: number[]; attributes: string[] }>(
    `SELECT m.audience_id AS audience, groupUniqArray(c.type) AS codes,
       groupUniqArrayIf(c.attribute, c.type = ${ATTRIBUTE_CODE}) AS attributes
     FROM (SELECT DISTINCT audience_id, mpid FROM ledger
           WHERE audience_id IN (${audienceIds.join(', ')}) AND mpid IN (SELECT mpid FROM ${learned})) AS m
     INNER JOIN (
       SELECT DISTINCT mpid, type, if(type = ${ATTRIBUTE_CODE}, value, '') AS attribute FROM ${learned}
     ) AS c ON m.mpid = c.mpid
     GROUP BY audience ORDER BY audience`,
    { lane: 'bulk' },
  );
  return new Map(
    rows.map(({ audience, codes, attributes }) => [
      Number(audience),
      { codes: codes.map(Number), attributes },
    ]),
  );
}
