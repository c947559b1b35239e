import { codeOfPrioritySql } from '../../../../domain/identities/index.js';
import type { Warehouse } from '../../../../platform/warehouse/index.js';
import { MERGED } from '../../../ledger/index.js';
import { registerDecisions, setDown } from '../decision.js';
import { mpidSql, withoutCollisions } from '../mpid.js';
import type { ResolveRequest } from '../resolve.js';
import { drop, MERGING, recreate } from '../tables.js';
import { replaceRows } from './rows.js';

/** Gives new rows their mpid and writes the identities that nobody had. */
export async function register(warehouse: Warehouse, request: ResolveRequest): Promise<void> {
  const { workspace, tables } = request;
  const strongest = `${tables.scratch}strongest`;
  await findStrongest(warehouse, request, strongest);
  const select = `SELECT hash, value, type FROM ${strongest}`;
  const rule = await withoutCollisions(warehouse, workspace, { select, settings: MERGED }, request.mpidBits);
  await drop(warehouse, strongest);
  await replaceRows(
    warehouse,
    tables,
    `SELECT row, rank, priority, hash, if(rank = 1, ${mpidSql('hash', rule)}, mpid), own_type, own_hash, matched_by, copies
     FROM ${tables.rows}`,
  );
  await setDown(warehouse, request);
  await registerDecisions(warehouse, workspace, request.onTaught);
}

/** Table of the identities that new people go by, in the order of their hashes; some stand there several times. */
async function findStrongest(
  warehouse: Warehouse,
  { tables }: ResolveRequest,
  strongest: string,
): Promise<void> {
  await recreate(
    warehouse,
    strongest,
    '(hash UInt128 CODEC(NONE), value String, type UInt8) ENGINE = MergeTree ORDER BY hash',
  );
  await warehouse.command(
    `INSERT INTO ${strongest} SELECT s.hash, s.value, s.type
     FROM (SELECT type, hash, value FROM ${tables.stage} WHERE type != 0 AND derived = 0) AS s
     ANY LEFT JOIN (
       SELECT toUInt8(${codeOfPrioritySql('priority')}) AS type, hash, toUInt8(1) AS goes_by FROM ${tables.rows} WHERE rank = 1
       GROUP BY type, hash
     ) AS r ON s.type = r.type AND s.hash = r.hash
     WHERE r.goes_by = 1`,
    MERGING,
  );
}
