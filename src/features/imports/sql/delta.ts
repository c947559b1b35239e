import type { Warehouse } from '../../../platform/warehouse/index.js';
import { membersSql, MERGED } from '../../ledger/index.js';
import { fileMembersSql, type ResolveRequest } from './resolve.js';
import { recreate } from './tables.js';

export interface DeltaCounts {
  added: number;
  removed: number;
}

/** Table `delta`: who is in the file and not in the published version (+1), and the other way round (-1). */
export async function computeDelta(
  warehouse: Warehouse,
  request: ResolveRequest,
  audience: { id: number; version: number },
): Promise<DeltaCounts> {
  const { delta } = request.tables;
  await recreate(warehouse, delta, '(mpid Int64, sign Int8) ENGINE = MergeTree ORDER BY mpid');
  await warehouse.command(
    `INSERT INTO ${delta}
     SELECT mpid, if(max(here) = 1, 1, -1) FROM (
       SELECT mpid, toUInt8(1) AS here, toUInt8(0) AS there FROM (${fileMembersSql(request)})
       UNION ALL
       SELECT mpid, toUInt8(0), toUInt8(1) FROM (${membersSql(audience.id, audience.version)})
     ) GROUP BY mpid HAVING max(here) != max(there)`,
    { lane: 'bulk', settings: MERGED },
  );
  const [counts] = await warehouse.query<{ added: string; removed: string }>(
    `SELECT countIf(sign = 1) AS added, countIf(sign = -1) AS removed FROM ${delta}`,
  );
  return { added: Number(counts?.added ?? 0), removed: Number(counts?.removed ?? 0) };
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
