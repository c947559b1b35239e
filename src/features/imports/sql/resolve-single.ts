import { codeOf } from '../../../domain/identities/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { MERGED } from '../../ledger/index.js';
import { mpidSql, withoutCollisions } from './mpid.js';
import type { OnCounted, ResolveCounts, ResolveRequest } from './resolve.js';
import { recreate } from './tables.js';

/** Rows of the stage by whether somebody has their identity; `unknown`: `SELECT hash, value, type` of the others. */
interface Sorted {
  known: number;
  others: number;
  unknown: string;
}

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
  if (!request.create) {
    const counts = await countOnly(warehouse, request, type);
    await onCounted(counts);
    return counts;
  }
  const { known, others, unknown } = await sortOut(warehouse, request, type);
  const createdProfiles = known === 0 ? null : await distinct(warehouse, unknown, others);
  const counts: ResolveCounts = { matched: known, created: others, unknown: 0, createdProfiles };
  await onCounted(counts);
  if (others === 0) return counts;

  const rule = await withoutCollisions(
    warehouse,
    workspace,
    { select: unknown, settings: MERGED },
    request.mpidBits,
  );
  // `profiles` first: cut off in between, the identity is still unknown and the next run writes both again.
  await warehouse.command(
    `INSERT INTO profiles SELECT ${workspace}, ${mpidSql('hash', rule)}, type, value FROM (${unknown})`,
    { lane: 'bulk' },
  );
  await warehouse.command(
    `INSERT INTO identities SELECT ${workspace}, type, hash, value, ${mpidSql('hash', rule)} FROM (${unknown})`,
    { lane: 'bulk' },
  );
  return counts;
}

async function countOnly(
  warehouse: Warehouse,
  request: ResolveRequest,
  type: IdentityType,
): Promise<ResolveCounts> {
  const [rows] = await warehouse.query<{ matched: string; others: string }>(
    `SELECT countIf(known = 1) AS matched, countIf(known = 0) AS others FROM (${joinedSql(request, type)})`,
    { lane: 'bulk', settings: MERGED },
  );
  const [matched, unknown] = [Number(rows?.matched ?? 0), Number(rows?.others ?? 0)];
  return { matched, created: 0, unknown, createdProfiles: 0 };
}

/**
 * One merge puts the unknown identities aside (table `fresh`), and all that follows reads only those: in a
 * refresh they are few. Where the workspace has no identity of the type yet, the stage itself is what is unknown.
 */
async function sortOut(warehouse: Warehouse, request: ResolveRequest, type: IdentityType): Promise<Sorted> {
  const { workspace, tables } = request;
  const count = async (from: string) => {
    const [row] = await warehouse.query<{ n: string }>(`SELECT count() AS n FROM ${from}`);
    return Number(row?.n ?? 0);
  };
  const unknownIn = (table: string) => `SELECT hash, value, ${codeOf(type)} AS type FROM ${table}`;
  const accepted = await count(`${tables.stage} WHERE bad = 0`);
  const anybody = await count(
    `(SELECT 1 FROM identities WHERE workspace = ${workspace} AND type = ${codeOf(type)} LIMIT 1)`,
  );
  if (anybody === 0) {
    return { known: 0, others: accepted, unknown: `${unknownIn(tables.stage)} WHERE bad = 0` };
  }
  await recreate(
    warehouse,
    tables.fresh,
    '(hash UInt128 CODEC(NONE), value String) ENGINE = MergeTree ORDER BY hash',
  );
  await warehouse.command(
    `INSERT INTO ${tables.fresh} SELECT hash, value FROM (${joinedSql(request, type)}) WHERE known = 0`,
    { lane: 'bulk', settings: MERGED },
  );
  const others = await count(tables.fresh);
  return { known: accepted - others, others, unknown: unknownIn(tables.fresh) };
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
