import type { Warehouse } from '../../../platform/warehouse/index.js';
import { membersSql, MERGED } from '../../ledger/index.js';
import { fileMembersSql, type ResolveRequest } from './resolve.js';
import { recreate } from './tables.js';

export interface DeltaCounts {
  added: number;
  removed: number;
}

/**
 * Table `delta`: who is in the file and not in the published version (+1), and the other way round (-1). The
 * file's profiles are put into the order of the ledger first, so that one merge compares them and memory stays
 * flat whatever the size; grouping both sides by profile took twice the time and all of the memory.
 */
export async function computeDelta(
  warehouse: Warehouse,
  request: ResolveRequest,
  audience: { id: number; version: number },
): Promise<DeltaCounts> {
  const { delta, members } = request.tables;
  await recreate(warehouse, members, '(mpid Int64 CODEC(NONE)) ENGINE = MergeTree ORDER BY mpid');
  await warehouse.command(`INSERT INTO ${members} ${fileMembersSql(request)}`, {
    lane: 'bulk',
    settings: MERGED,
  });
  await recreate(warehouse, delta, '(mpid Int64, sign Int8) ENGINE = MergeTree ORDER BY mpid');
  await warehouse.command(`INSERT INTO ${delta} ${changesSql(members, audience)}`, {
    lane: 'bulk',
    settings: MERGED,
  });
  await warehouse.command(`DROP TABLE IF EXISTS ${members} SYNC`);
  const [counts] = await warehouse.query<{ added: string; removed: string }>(
    `SELECT countIf(sign = 1) AS added, countIf(sign = -1) AS removed FROM ${delta}`,
  );
  return { added: Number(counts?.added ?? 0), removed: Number(counts?.removed ?? 0) };
}

/** `SELECT mpid, sign` of the changes, each once. A profile that the file names twice is compared twice. */
function changesSql(members: string, audience: { id: number; version: number }): string {
  if (audience.version === 0) return `SELECT mpid, 1 FROM ${members} GROUP BY mpid`;
  return `SELECT mpid, any(sign) FROM (
      SELECT if(f.here = 1, f.mpid, m.mpid) AS mpid, if(f.here = 1, 1, -1) AS sign
      FROM (SELECT mpid, toUInt8(1) AS here FROM ${members}) AS f
      FULL JOIN (SELECT mpid, toUInt8(1) AS here FROM (${membersSql(audience.id, audience.version)})) AS m
        ON f.mpid = m.mpid
      WHERE f.here != m.here
    ) GROUP BY mpid`;
}

/** Appends the delta to the ledger as version `version`; rows above the published one are invisible so far. */
export async function appendDelta(
  warehouse: Warehouse,
  delta: string,
  audience: { id: number; version: number },
  at: Date,
): Promise<void> {
  await warehouse.command(
    `INSERT INTO ledger SELECT ${audience.id}, mpid, ${audience.version}, sign,
       fromUnixTimestamp64Milli(${at.getTime()}, 'UTC') FROM ${delta}`,
    { lane: 'bulk' },
  );
}
