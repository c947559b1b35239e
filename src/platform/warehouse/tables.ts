import type { Warehouse } from './warehouse.js';

/**
 * Tables of the warehouse. Plain MergeTree family, so that a Replicated database or ClickHouse Cloud turns
 * them into replicated ones by itself. Statements are idempotent and only ever added to.
 *
 * - `identities`: (workspace, type, hash of (type, value)) → mpid. The hash has 128 bits; rows written twice
 *   by a retry are equal and collapse.
 * - `profiles`: the same rows by mpid. Written BEFORE `identities`, so that a process that dies in between
 *   leaves an identity that is still unknown, never one that is known and cannot be found by its profile.
 * - `ledger`: one row a membership change, append-only. Member at version V: `argMax(sign, version) = 1` over
 *   rows with `version <= V`.
 */
const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS identities (
    workspace UInt32, type UInt8, hash UInt128 CODEC(NONE), value String, mpid Int64 CODEC(NONE)
  ) ENGINE = ReplacingMergeTree ORDER BY (workspace, type, hash)`,
  `CREATE TABLE IF NOT EXISTS profiles (
    workspace UInt32, mpid Int64, type UInt8, value String
  ) ENGINE = ReplacingMergeTree ORDER BY (workspace, mpid, type, value)`,
  `CREATE TABLE IF NOT EXISTS ledger (
    audience_id UInt64, mpid Int64, version UInt32, sign Int8, at DateTime64(3, 'UTC')
  ) ENGINE = MergeTree ORDER BY (audience_id, mpid, version)`,
];

/** Makes what is missing. */
export async function createTables(warehouse: Warehouse): Promise<void> {
  for (const statement of STATEMENTS) await warehouse.command(statement);
}
