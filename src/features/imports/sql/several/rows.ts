import type { Warehouse } from '../../../../platform/warehouse/index.js';
import { drop, MERGING, recreate, type WorkTables } from '../tables.js';

/**
 * Table `rows`, in the order of the rows' keys: of each row of the file (rows that say the same are one, `copies` tells how
 * many) its label (rank 0: a known profile, 1: somebody new; then the strongest identity that it goes by), its own strongest
 * identity, and the strength of the one by which it is somebody.
 */
export const ROWS_COLUMNS = `(row UInt128 CODEC(NONE), rank UInt8, priority UInt8, hash UInt128 CODEC(NONE), mpid Int64,
  own_type UInt8, own_hash UInt128 CODEC(NONE), matched_by UInt8, copies UInt64) ENGINE = MergeTree ORDER BY row`;

/** Puts what `select` gives in the place of `rows`; cut off in between, the old one stands. */
export async function replaceRows(
  warehouse: Warehouse,
  { scratch, rows }: Pick<WorkTables, 'scratch' | 'rows'>,
  select: string,
): Promise<void> {
  const next = `${scratch}next_rows`;
  await recreate(warehouse, next, ROWS_COLUMNS);
  await warehouse.command(`INSERT INTO ${next} ${select}`, MERGING);
  await warehouse.command(`EXCHANGE TABLES ${next} AND ${rows}`);
  await drop(warehouse, next);
}
