import type { Warehouse } from '../../../platform/warehouse/index.js';
import { changesCheckSql, IN_ORDER, membersSql } from '../../ledger/index.js';
import { blocksOfRows } from './blocks.js';
import { derivedMpidSql } from './mpid.js';
import { severalMembersSql } from './resolve-several.js';
import type { FileMembers, ResolveRequest } from './resolve.js';
import { MERGING, recreate } from './tables.js';

/** Membership changes against the published version. */
export interface Delta {
  added: number;
  removed: number;
  /** Sum over the changes, by which the ledger is told from one that holds others. */
  check: string;
  /** Where they stand: in table `delta`, or, where everybody is added, where the file's profiles stand. */
  from: 'delta' | 'members';
  /** `members` only: some stand there twice. */
  repeats: boolean;
}

export interface DeltaRequest extends ResolveRequest {
  members: FileMembers;
  /** Ledger rows since the first version that are looked at one by one; more are grouped. Less in tests only. */
  maxChurn?: number;
}

interface AudienceAt {
  id: number;
  version: number;
}

/** A set of so many mpids takes some 100 MB. */
const MAX_CHURN = 4_000_000;

/**
 * Who is in the file and not in the published version (+1), and the other way round (-1). Both sides are in the
 * order of the ledger, so one merge compares them and memory stays flat whatever the size; grouping both sides by
 * profile took twice the time and all of the memory.
 */
export async function computeDelta(
  warehouse: Warehouse,
  request: DeltaRequest,
  audience: AudienceAt,
): Promise<Delta> {
  const { tables, members } = request;
  const inStage = members.from === 'stage' && audience.version === 0;
  if (!inStage && members.from !== 'table') await putInOrder(warehouse, request);
  if (audience.version === 0) return everybody(warehouse, request);
  const { delta } = tables;
  await recreate(warehouse, delta, '(mpid Int64, sign Int8) ENGINE = MergeTree ORDER BY mpid');
  await warehouse.command(`INSERT INTO ${delta} ${await changesSql(warehouse, request, audience)}`, MERGING);
  const [row] = await warehouse.query<{ added: string; removed: string; check: string }>(
    `SELECT countIf(sign = 1) AS added, countIf(sign = -1) AS removed, ${changesCheckSql('mpid', 'sign')} AS check
     FROM ${delta}`,
    { lane: 'bulk' },
  );
  const [added, removed] = [Number(row?.added ?? 0), Number(row?.removed ?? 0)];
  return { added, removed, check: row?.check ?? '0', from: 'delta', repeats: false };
}

/** Whether the delta adds one of `mpids` (`SELECT mpid`). */
export async function addsAny(
  warehouse: Warehouse,
  request: DeltaRequest,
  { from }: Pick<Delta, 'from'>,
  mpids: string,
): Promise<boolean> {
  const adds =
    from === 'delta' ? `SELECT mpid FROM ${request.tables.delta} WHERE sign = 1` : ordered(request).select;
  const rows = await warehouse.query(`SELECT 1 FROM (${adds}) WHERE mpid IN (${mpids}) LIMIT 1`, {
    lane: 'bulk',
  });
  return rows.length > 0;
}

/** Appends the delta to the ledger as version `version`; rows above the published one are invisible so far. */
export async function appendDelta(
  warehouse: Warehouse,
  request: DeltaRequest,
  delta: Omit<Delta, 'check'>,
  audience: AudienceAt,
  at: Date,
): Promise<void> {
  const select =
    delta.from === 'delta'
      ? `SELECT mpid, sign FROM ${request.tables.delta}`
      : `SELECT mpid, 1 AS sign FROM (${delta.repeats ? onceSql(request) : ordered(request).select})`;
  await warehouse.command(
    `INSERT INTO ledger SELECT ${audience.id}, mpid, ${audience.version}, sign,
       fromUnixTimestamp64Milli(${at.getTime()}, 'UTC') FROM (${select})`,
    { lane: 'bulk', settings: { ...IN_ORDER, ...blocksOfRows(delta.added + delta.removed) } },
  );
}

/** Table `members` of profiles that do not stand in the order of the ledger yet. */
async function putInOrder(warehouse: Warehouse, request: DeltaRequest): Promise<void> {
  const { members } = request.tables;
  await recreate(warehouse, members, '(mpid Int64 CODEC(NONE)) ENGINE = MergeTree ORDER BY mpid');
  const select = request.members.from === 'rows' ? severalMembersSql(request) : stageSql(request);
  await warehouse.command(`INSERT INTO ${members} SELECT mpid FROM (${select})`, { lane: 'bulk' });
}

/** The first version: everybody in the file is added, and who stands there twice is added once. */
async function everybody(warehouse: Warehouse, request: DeltaRequest): Promise<Delta> {
  const { members } = request;
  const alone = members.from === 'stage' && !members.repeats;
  const [row] = await warehouse.query<{ n: string; added: string; check: string }>(
    alone
      ? `SELECT count() AS n, n AS added, ${changesCheckSql('mpid', '1')} AS check FROM (${ordered(request).select})`
      : `SELECT count() AS n, countIf(mpid != before) AS added,
           ${changesCheckSql('mpid', '1', 'mpid != before')} AS check FROM (${withBefore(request)})`,
    MERGING,
  );
  const added = Number(row?.added ?? 0);
  const repeats = added < Number(row?.n ?? 0);
  return { added, removed: 0, check: row?.check ?? '0', from: 'members', repeats };
}

/** The file's profiles in an order in which those that are the same stand side by side. */
function ordered(request: DeltaRequest): { select: string; by: string } {
  if (request.members.from === 'stage') return { select: stageSql(request), by: 'hash' };
  return { select: `SELECT mpid FROM ${request.tables.members}`, by: 'mpid' };
}

/** Each row's mpid, and that of the row before it. */
function withBefore(request: DeltaRequest): string {
  const { select, by } = ordered(request);
  return `SELECT mpid, lagInFrame(mpid, 1, bitNot(mpid)) OVER (ORDER BY ${by} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM (${select})`;
}

const onceSql = (request: DeltaRequest): string =>
  `SELECT mpid FROM (${withBefore(request)}) WHERE mpid != before`;

function stageSql({ tables, mpidBits = 64 }: DeltaRequest): string {
  return `SELECT ${derivedMpidSql('hash', mpidBits)} AS mpid, hash FROM ${tables.stage} WHERE bad = 0`;
}

/**
 * `SELECT mpid, sign` of the changes, each once. A profile that the file names twice is compared twice.
 *
 * What a member is takes all its rows of the ledger, and grouping them costs more than all the rest. But the first
 * version has only joiners, one row each, and whoever changed since has a later row: so the file is compared with
 * the rows of the first version as they are, leaving out those who changed since, and those alone are grouped.
 */
async function changesSql(
  warehouse: Warehouse,
  request: DeltaRequest,
  { id, version }: AudienceAt,
): Promise<string> {
  const { members } = request.tables;
  const since = `FROM ledger WHERE audience_id = ${id} AND version > 1 AND version <= ${version}`;
  const churn = version === 1 ? 0 : await rowsIn(warehouse, since);
  if (churn > (request.maxChurn ?? MAX_CHURN)) return comparedSql(members, membersSql(id, version));
  const first = `SELECT mpid FROM ledger WHERE audience_id = ${id} AND version = 1 AND sign = 1`;
  if (churn === 0) return comparedSql(members, first);
  const changed = `SELECT mpid ${since}`;
  return `${comparedSql(members, first, `mpid NOT IN (${changed})`)}
    UNION ALL
    SELECT mpid, toInt16(if(is_member = 1, -1, 1)) FROM (
      SELECT mpid, max(member) AS is_member, max(here) AS is_here FROM (
        SELECT mpid, argMax(sign, version) = 1 AS member, 0 AS here FROM ledger
        WHERE audience_id = ${id} AND version <= ${version} AND mpid IN (${changed}) GROUP BY mpid
        UNION ALL
        SELECT mpid, 0, 1 FROM ${members} WHERE mpid IN (${changed})
      ) GROUP BY mpid
    ) WHERE is_member != is_here`;
}

/** The changes between two sets in the order of the ledger, among those that `condition` holds of. */
function comparedSql(file: string, published: string, condition = '1'): string {
  return `SELECT mpid, any(sign) FROM (
      SELECT if(f.here = 1, f.mpid, m.mpid) AS mpid, if(f.here = 1, 1, -1) AS sign
      FROM (SELECT mpid, toUInt8(1) AS here FROM ${file}) AS f
      FULL JOIN (SELECT mpid, toUInt8(1) AS here FROM (${published})) AS m ON f.mpid = m.mpid
      WHERE f.here != m.here
    ) WHERE ${condition} GROUP BY mpid`;
}

async function rowsIn(warehouse: Warehouse, from: string): Promise<number> {
  const [row] = await warehouse.query<{ n: string }>(`SELECT count() AS n ${from}`, { lane: 'bulk' });
  return Number(row?.n ?? 0);
}
