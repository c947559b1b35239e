import type { Warehouse } from './warehouse.js';

/**
 * Tables of the warehouse. Plain MergeTree family, so that a Replicated database or ClickHouse Cloud turns
 * them into replicated ones by itself. Statements are idempotent and only ever added to.
 *
 * - `identities`: (workspace, type, hash of (type, value)) → mpid. The hash has 128 bits; rows written twice
 *   by a retry are equal and collapse.
 * - `profiles`: the same rows by mpid. Written BEFORE `identities`, so that a process that dies in between
 *   leaves an identity that is still unknown, never one that is known and cannot be found by its profile.
 * - `attributes`: what files say of a profile beside its identities. Of the same key (the folded name) the import
 *   with the highest sequence counts.
 * - `identity_changes`: what profiles learned after they were made, append-only. `seq` rises by one an import that
 *   taught something; profiles that are new are not in it, because whoever gets them gets all of them. Rows of type 255
 *   say that the attribute with the key `value` is another; they are there for attributes that go to partners.
 * - `ledger`: one row a membership change, append-only. Member at version V: `argMax(sign, version) = 1` over
 *   rows with `version <= V`.
 * - `suppressions`: who must not become a member, by a keyed hash of the identity alone. `origin`: of a hash form, the
 *   entry of the e-mail or phone that it is of; else 0. The key is in the metadata, so that this table says nothing by itself.
 * - `erasure_targets`, `erasure_profiles`: who a request to suppress or erase is about. Deleted when it is done.
 */
const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS identities (
    workspace UInt32, type UInt8, hash UInt128 CODEC(NONE), value String, mpid Int64 CODEC(NONE)
  ) ENGINE = ReplacingMergeTree ORDER BY (workspace, type, hash)`,
  `CREATE TABLE IF NOT EXISTS profiles (
    workspace UInt32, mpid Int64, type UInt8, value String
  ) ENGINE = ReplacingMergeTree ORDER BY (workspace, mpid, type, value)`,
  `CREATE TABLE IF NOT EXISTS attributes (
    workspace UInt32, mpid Int64, key LowCardinality(String), name LowCardinality(String), value String, import UInt64
  ) ENGINE = ReplacingMergeTree(import) ORDER BY (workspace, mpid, key)`,
  `CREATE TABLE IF NOT EXISTS identity_changes (
    workspace UInt32, seq UInt64, mpid Int64, type UInt8, hash UInt128 CODEC(NONE), value String, sign Int8
  ) ENGINE = MergeTree ORDER BY (workspace, seq, mpid)`,
  `CREATE TABLE IF NOT EXISTS ledger (
    audience_id UInt64, mpid Int64, version UInt32, sign Int8, at DateTime64(3, 'UTC')
  ) ENGINE = MergeTree ORDER BY (audience_id, mpid, version)`,
  `CREATE TABLE IF NOT EXISTS suppressions (
    workspace UInt32, type UInt8, entry UInt128 CODEC(NONE), origin UInt128, erasure UUID, at DateTime64(3, 'UTC')
  ) ENGINE = ReplacingMergeTree ORDER BY (workspace, type, entry)`,
  `CREATE TABLE IF NOT EXISTS erasure_targets (
    workspace UInt32, erasure UUID, type UInt8, hash UInt128 CODEC(NONE), origin UInt128, at DateTime64(3, 'UTC')
  ) ENGINE = ReplacingMergeTree ORDER BY (workspace, erasure, type, hash)`,
  `CREATE TABLE IF NOT EXISTS erasure_profiles (
    workspace UInt32, erasure UUID, mpid Int64, at DateTime64(3, 'UTC')
  ) ENGINE = ReplacingMergeTree ORDER BY (workspace, erasure, mpid)`,
];

/** Makes what is missing. */
export async function createTables(warehouse: Warehouse): Promise<void> {
  for (const statement of STATEMENTS) await warehouse.command(statement);
}
