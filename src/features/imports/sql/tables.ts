import type { Warehouse } from '../../../platform/warehouse/index.js';
import { MERGED } from '../../ledger/index.js';

/** Options of a statement over whole tables that joins them in their order. */
export const MERGING = { lane: 'bulk', settings: MERGED } as const;

/**
 * Working tables of one import. They are dropped when the import ends, and by the sweep where a process died
 * before it could: their names say whose they are.
 */
export interface WorkTables {
  /** Valid identities of the file's rows, ordered like the table `identities`. */
  stage: string;
  /** Several identities a row only: the stage with what is known of each identity. */
  found: string;
  /** Several identities a row only: which profile each row is. */
  rows: string;
  /** Several identities a row only: what is to be registered. Prefix; the number of the workspace follows. */
  decision: string;
  /** The same, once it is registered. */
  registered: string;
  /**
   * The file's profiles, ordered like the ledger, with repetitions. One identity a row: with the identities
   * that nobody had when it was made.
   */
  members: string;
  /** Rows of suppressed people, by what tells rows apart, and how many they are; absent where nobody is suppressed. */
  withheld: string;
  /** What the file says of each row beside its identities; absent where it says nothing. */
  attributes: string;
  /** Membership changes against the published version. */
  delta: string;
  /** Prefix of tables that live for one step. */
  scratch: string;
}

const PREFIX = 'work_';
const TRIAL_PREFIX = 'trial_';

/** Names for the import with this id (a UUID). */
export function workTables(importId: string): WorkTables {
  return tablesOf(`${PREFIX}${bare(importId)}_`);
}

/**
 * The same for a dry run, which has no import. The moment in the name tells a sweep what a dead process left.
 * No other code finds these tables by their part: what is in them concerns nobody.
 */
export function trialTables(trialId: string, begun: Date): WorkTables {
  return tablesOf(`${TRIAL_PREFIX}${begun.getTime()}_${bare(trialId)}_`);
}

/** Drops everything of one dry run. */
export async function dropTrialTables(warehouse: Warehouse, tables: WorkTables): Promise<void> {
  await dropByPrefix(warehouse, tables.scratch);
}

/** Drops the tables of dry runs that began before `before`. */
export async function dropOldTrialTables(warehouse: Warehouse, before: Date): Promise<void> {
  const tables = await warehouse.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '${TRIAL_PREFIX}')
       AND toInt64OrZero(splitByChar('_', name)[2]) < {before:Int64}`,
    { params: { before: BigInt(before.getTime()) } },
  );
  for (const { name } of tables) await drop(warehouse, name);
}

function bare(uuid: string): string {
  const id = uuid.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(id)) throw new Error('An import id is a UUID.');
  return id;
}

function tablesOf(prefix: string): WorkTables {
  const name = (part: string) => `${prefix}${part}`;
  return {
    stage: name('stage'),
    found: name('found'),
    rows: name('rows'),
    decision: name('decision_'),
    registered: name('registered'),
    members: name('members'),
    withheld: name('withheld'),
    attributes: name('attributes'),
    delta: name('delta'),
    scratch: name(''),
  };
}

/**
 * Drops everything of one import that is at its end, but for a decision that is not registered (the import failed
 * amidst): half of it may be known already, and the next import of the workspace registers the rest.
 */
export async function dropWorkTables(warehouse: Warehouse, importId: string): Promise<void> {
  const { scratch, decision } = workTables(importId);
  for (const name of await tablesWith(warehouse, scratch)) {
    if (!name.startsWith(decision)) await drop(warehouse, name);
  }
}

/** Drops whatever there is of the tables; what was decided first, because that speaks of the rest. */
export async function dropTables(warehouse: Warehouse, { scratch, decision }: WorkTables): Promise<void> {
  const names = await tablesWith(warehouse, scratch);
  const decided = names.filter((name) => name.startsWith(decision));
  for (const name of new Set([...decided, ...names])) await drop(warehouse, name);
}

/** Import ids that have working tables, leaving aside what is kept of failed ones (see {@link dropWorkTables}). */
export async function importsWithWorkTables(warehouse: Warehouse): Promise<string[]> {
  const rows = await warehouse.query<{ id: string }>(
    `SELECT DISTINCT substring(name, ${PREFIX.length + 1}, 32) AS id FROM system.tables
     WHERE database = currentDatabase() AND match(name, '^${PREFIX}[0-9a-f]{32}_')
       AND NOT match(name, '_decision_[0-9]+$')`,
  );
  return rows.map(({ id }) => id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
}

/** Tables of any import that are called `part`. */
export async function tablesCalled(warehouse: Warehouse, part: string): Promise<string[]> {
  const rows = await warehouse.query<{ name: string }>(
    `SELECT name FROM system.tables
     WHERE database = currentDatabase() AND match(name, {pattern:String}) ORDER BY name`,
    { params: { pattern: `^${PREFIX}[0-9a-f]{32}_${part}$` } },
  );
  return rows.map(({ name }) => name);
}

/** Drops the tables whose names start with `prefix`. */
export async function dropByPrefix(warehouse: Warehouse, prefix: string): Promise<void> {
  for (const name of await tablesWith(warehouse, prefix)) await drop(warehouse, name);
}

async function tablesWith(warehouse: Warehouse, prefix: string): Promise<string[]> {
  const rows = await warehouse.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, {prefix:String})',
    { params: { prefix } },
  );
  return rows.map(({ name }) => name);
}

/** Whether there is a table of this name. */
export async function isThere(warehouse: Warehouse, name: string): Promise<boolean> {
  const rows = await warehouse.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = currentDatabase() AND name = {name:String}',
    { params: { name } },
  );
  return rows.length > 0;
}

/** Drops a working table, if it is there. */
export async function drop(warehouse: Warehouse, name: string): Promise<void> {
  await warehouse.command(`DROP TABLE IF EXISTS ${name} SYNC`);
}

/** Makes a working table that is not there. */
export async function create(warehouse: Warehouse, name: string, columnsAndEngine: string): Promise<void> {
  await warehouse.command(`CREATE TABLE ${name} ${columnsAndEngine}`);
}

/** Makes a working table anew, empty. */
export async function recreate(warehouse: Warehouse, name: string, columnsAndEngine: string): Promise<void> {
  await drop(warehouse, name);
  await create(warehouse, name, columnsAndEngine);
}
