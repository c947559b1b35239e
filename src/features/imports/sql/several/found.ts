import { codeOfPrioritySql, prioritySql } from '../../../../domain/identities/index.js';
import type { Warehouse } from '../../../../platform/warehouse/index.js';
import type { ResolveRequest } from '../resolve.js';
import { MERGING, recreate } from '../tables.js';
import { STRENGTH, strengthHash, strengthPriority } from './packed.js';
import { ROWS_COLUMNS } from './rows.js';

/** Table `found`: the stage in the order of its rows, and for each identity whose it is, if anybody's. */
export async function findKnown(warehouse: Warehouse, { workspace, tables }: ResolveRequest): Promise<void> {
  await recreate(
    warehouse,
    tables.found,
    `(row UInt128 CODEC(NONE), type UInt8, priority UInt8, hash UInt128 CODEC(NONE), value String, derived UInt8, first UInt8,
      known UInt8, mpid Int64)
     ENGINE = MergeTree ORDER BY row`,
  );
  await warehouse.command(
    `INSERT INTO ${tables.found}
     SELECT s.row, s.type, ${prioritySql('s.type')}, s.hash, s.value, s.derived, s.first, i.known, i.mpid
     FROM (SELECT row, type, hash, value, derived, first FROM ${tables.stage} WHERE type != 0) AS s
     ANY LEFT JOIN (
       SELECT type, hash, mpid, toUInt8(1) AS known FROM identities WHERE workspace = ${workspace}
     ) AS i ON s.type = i.type AND s.hash = i.hash`,
    MERGING,
  );
}

/** Identities of the file by whether somebody has them. */
export async function countFound(warehouse: Warehouse, { tables }: ResolveRequest) {
  const [row] = await warehouse.query<{ of_somebody: string; of_nobody: string }>(
    `SELECT countIf(known = 1) AS of_somebody, countIf(known = 0) AS of_nobody FROM ${tables.found}`,
    { lane: 'bulk' },
  );
  return { known: Number(row?.of_somebody ?? 0), unknown: Number(row?.of_nobody ?? 0) };
}

/**
 * Fills table `rows`. A row is the profile of its strongest known identity where it is none of the `conflicts` (a table of
 * rows), or else goes by its own strongest identity, by which other rows of the file hand their label on to it.
 */
export async function labelRows(
  warehouse: Warehouse,
  { tables }: ResolveRequest,
  conflicts: string | undefined,
): Promise<void> {
  const found = `SELECT row, max(known) = 1 AS any_known, minIf(priority, known = 1) AS known_priority,
      argMinIf(mpid, ${STRENGTH}, known = 1) AS known_mpid, minIf(${STRENGTH}, derived = 0) AS own, sum(first) AS copies
    FROM ${tables.found} GROUP BY row`;
  const joined =
    conflicts === undefined
      ? `SELECT *, toUInt8(0) AS conflicting FROM (${found})`
      : `SELECT f.*, c.conflicting AS conflicting FROM (${found}) AS f
         ANY LEFT JOIN (SELECT row, toUInt8(1) AS conflicting FROM ${conflicts}) AS c ON f.row = c.row`;
  await recreate(warehouse, tables.rows, ROWS_COLUMNS);
  await warehouse.command(
    `INSERT INTO ${tables.rows}
     SELECT row, if(any_known AND conflicting = 0, 0, 1) AS rank,
       if(rank = 0, known_priority, own_priority) AS priority, if(rank = 0, toUInt128(0), own_hash) AS hash,
       if(rank = 0, known_mpid, 0) AS mpid, ${codeOfPrioritySql('own_priority')} AS own_type, own_hash, priority AS matched_by,
       copies
     FROM (
       SELECT *, ${strengthPriority('own')} AS own_priority, ${strengthHash('own')} AS own_hash FROM (${joined})
     )`,
    MERGING,
  );
}
