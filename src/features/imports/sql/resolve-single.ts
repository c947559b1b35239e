import { codeOf } from '../../../domain/identities/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { MERGED } from '../../ledger/index.js';
import { mpidSql, withoutCollisions } from './mpid.js';
import type { OnCounted, ResolveCounts, ResolveRequest } from './resolve.js';

/**
 * Resolves a file of one identity a row: stage and `identities` are both in hash order, so one merge finds
 * what is known, and memory stays flat.
 */
export async function resolveSingle(
  warehouse: Warehouse,
  request: ResolveRequest,
  type: IdentityType,
  onCounted: OnCounted,
): Promise<ResolveCounts> {
  const { workspace } = request;
  const unknown = `SELECT hash, value, ${codeOf(type)} AS type FROM (${joinedSql(request, type)}) WHERE known = 0`;
  const [rows] = await warehouse.query<{ matched: string; others: string }>(
    `SELECT countIf(known = 1) AS matched, countIf(known = 0) AS others FROM (${joinedSql(request, type)})`,
    { lane: 'bulk', settings: MERGED },
  );
  const known = Number(rows?.matched ?? 0);
  const others = Number(rows?.others ?? 0);
  const counts: ResolveCounts = request.create
    ? {
        matched: known,
        created: others,
        unknown: 0,
        createdProfiles: known === 0 ? null : await distinct(warehouse, unknown, others),
      }
    : { matched: known, created: 0, unknown: others, createdProfiles: 0 };
  await onCounted(counts);
  if (counts.created === 0) return counts;

  const rule = await withoutCollisions(
    warehouse,
    workspace,
    { select: unknown, settings: MERGED },
    request.mpidBits,
  );
  // `profiles` first: cut off in between, the identity is still unknown and the next run writes both again.
  await warehouse.command(
    `INSERT INTO profiles SELECT ${workspace}, ${mpidSql('hash', rule)}, type, value FROM (${unknown})`,
    { lane: 'bulk', settings: MERGED },
  );
  await warehouse.command(
    `INSERT INTO identities SELECT ${workspace}, type, hash, value, ${mpidSql('hash', rule)} FROM (${unknown})`,
    { lane: 'bulk', settings: MERGED },
  );
  return counts;
}

/** How many different identities `select` gives; few rows or none are the rule. */
async function distinct(warehouse: Warehouse, select: string, rows: number): Promise<number> {
  if (rows === 0) return 0;
  const [row] = await warehouse.query<{ n: string }>(
    `SELECT count() AS n FROM (SELECT hash FROM (${select}) GROUP BY hash)`,
    { lane: 'bulk', settings: MERGED },
  );
  return Number(row?.n ?? 0);
}

/** `SELECT mpid` of the profiles in the stage, with repetitions. */
export function singleMembersSql(request: ResolveRequest, type: IdentityType): string {
  return `SELECT mpid FROM (${joinedSql(request, type)}) WHERE known = 1`;
}

function joinedSql({ workspace, tables }: ResolveRequest, type: IdentityType): string {
  return `SELECT s.hash AS hash, s.value AS value, i.known AS known, i.mpid AS mpid
    FROM (SELECT hash, value FROM ${tables.stage} WHERE bad = 0) AS s
    ANY LEFT JOIN (
      SELECT hash, mpid, toUInt8(1) AS known FROM identities
      WHERE workspace = ${workspace} AND type = ${codeOf(type)}
    ) AS i ON s.hash = i.hash`;
}
