import type { Warehouse } from '../../../platform/warehouse/index.js';
import { appendIdentityChanges } from '../../ledger/index.js';
import type { ResolveRequest } from './resolve.js';
import { LABEL, labelMpid, labelRank } from './several/packed.js';
import { drop, dropByPrefix, MERGING, recreate, tablesCalled, type WorkTables } from './tables.js';

/**
 * What an import of several identities a row registers, set down whole before any of it is registered.
 *
 * Whose a row is depends on what is known. A process that dies while it registers leaves some of the file's
 * identities known and others not, and whoever decided from those would decide otherwise. So nobody does: the
 * next one to hold the workspace's identity lease, the same import or another, first registers what is set
 * down. A decision is a table that has its name only when it is complete; registered, it gets another name.
 */

/** Hears the sequence number of what was just written to `identity_changes`. */
export type OnTaught = (sequence: number) => Promise<void>;

const COLUMNS = `(type UInt8, hash UInt128 CODEC(NONE), value String, mpid Int64, derived UInt8, taught UInt8)
  ENGINE = MergeTree ORDER BY (type, hash)`;

/** Identities that nobody has, in their order, with the label of each row that has one. */
const CANDIDATES = `(type UInt8, hash UInt128 CODEC(NONE), value String, derived UInt8, label UInt256 CODEC(NONE))
  ENGINE = MergeTree ORDER BY (type, hash)`;

/**
 * Sets down, from the finished tables `found` and `rows`, each identity that nobody has and the mpid it gets; `taught`
 * where that is a known profile.
 */
export async function setDown(
  warehouse: Warehouse,
  { workspace, tables }: Pick<ResolveRequest, 'workspace' | 'tables'>,
): Promise<void> {
  const [candidates, half] = [`${tables.scratch}candidates`, `${tables.scratch}half_decision`];
  await recreate(warehouse, candidates, CANDIDATES);
  await warehouse.command(
    `INSERT INTO ${candidates}
     SELECT f.type, f.hash, f.value, f.derived, r.label
     FROM (SELECT row, type, hash, value, derived FROM ${tables.found} WHERE known = 0) AS f
     ANY LEFT JOIN (SELECT row, ${LABEL} AS label FROM ${tables.rows}) AS r ON f.row = r.row`,
    MERGING,
  );
  await recreate(warehouse, half, COLUMNS);
  await warehouse.command(
    `INSERT INTO ${half}
     SELECT type, hash, any(value), ${labelMpid('min(label)')}, min(derived), ${labelRank('min(label)')} = 0
     FROM ${candidates} GROUP BY type, hash`,
    MERGING,
  );
  await drop(warehouse, candidates);
  await warehouse.command(`RENAME TABLE ${half} TO ${tables.decision}${workspace}`);
}

/**
 * Registers every decision of the workspace that is not registered yet. Run under its identity lease, before
 * anything is decided or staged anew. Rows that a run before this one wrote are written again and collapse.
 */
export async function registerDecisions(
  warehouse: Warehouse,
  workspace: number,
  onTaught: OnTaught = async () => undefined,
): Promise<void> {
  for (const decision of await tablesCalled(warehouse, `decision_${workspace}`)) {
    // Each stands there once, so there is nothing to collapse while it is written.
    const options = { lane: 'bulk', settings: { optimize_on_insert: 0 } } as const;
    // `profiles` first: cut off in between, nothing is known that cannot be found by its profile. In its order, so that its
    // parts lie side by side: every delivery and export reads it so, and parts that overlap are merged row by row then.
    await warehouse.command(
      `INSERT INTO profiles SELECT ${workspace}, mpid, type, value FROM ${decision} WHERE derived = 0 ORDER BY mpid`,
      options,
    );
    await warehouse.command(
      `INSERT INTO identities SELECT ${workspace}, type, hash, value, mpid FROM ${decision}`,
      options,
    );
    await tellWhatIsTaught(warehouse, workspace, decision, onTaught);
    const registered = decision.replace(`decision_${workspace}`, 'registered');
    await warehouse.command(`RENAME TABLE ${decision} TO ${registered}`);
  }
}

/**
 * What known profiles learn has to be told to partners that have them already. Cut off anywhere, all of it is told
 * again under a later number: nobody hears of a number before everything up to it is written.
 */
async function tellWhatIsTaught(
  warehouse: Warehouse,
  workspace: number,
  decision: string,
  onTaught: OnTaught,
): Promise<void> {
  // A decision that a former version of the hub set down does not say it.
  await warehouse.command(`ALTER TABLE ${decision} ADD COLUMN IF NOT EXISTS taught UInt8`);
  const select = `SELECT mpid, type, hash, value, 1 AS sign FROM ${decision} WHERE derived = 0 AND taught = 1`;
  const sequence = await appendIdentityChanges(warehouse, workspace, select);
  if (sequence !== undefined) await onTaught(sequence);
}

/** True where the import's decision is registered, so that table `rows` says who its rows are. */
export async function isRegistered(warehouse: Warehouse, { registered }: WorkTables): Promise<boolean> {
  const [found] = await warehouse.query<{ n: string }>(
    'SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND name = {name:String}',
    { params: { name: registered } },
  );
  return Number(found?.n ?? 0) > 0;
}

/** Drops what was decided of a stage or of `rows` that are about to be made anew. */
export async function dropDecision(warehouse: Warehouse, tables: WorkTables): Promise<void> {
  await dropByPrefix(warehouse, tables.decision);
  await drop(warehouse, tables.registered);
}
