import type { Warehouse } from '../../../platform/warehouse/index.js';

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
  /** One identity a row only: those that nobody has. */
  fresh: string;
  /** Several identities a row only: what is to be registered. Prefix; the number of the workspace follows. */
  decision: string;
  /** The same, once it is registered. */
  registered: string;
  /** The file's profiles, ordered like the ledger, with repetitions. */
  members: string;
  /** Membership changes against the published version. */
  delta: string;
  /** Prefix of tables that live for one step. */
  scratch: string;
}

const PREFIX = 'work_';

/** Names for the import with this id (a UUID). */
export function workTables(importId: string): WorkTables {
  const id = importId.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(id)) throw new Error('An import id is a UUID.');
  const name = (part: string) => `${PREFIX}${id}_${part}`;
  return {
    stage: name('stage'),
    found: name('found'),
    rows: name('rows'),
    fresh: name('fresh'),
    decision: name('decision_'),
    registered: name('registered'),
    members: name('members'),
    delta: name('delta'),
    scratch: name(''),
  };
}

/** Drops everything of one import. */
export async function dropWorkTables(warehouse: Warehouse, importId: string): Promise<void> {
  await dropByPrefix(warehouse, workTables(importId).scratch);
}

/** Import ids that have working tables. */
export async function importsWithWorkTables(warehouse: Warehouse): Promise<string[]> {
  const rows = await warehouse.query<{ id: string }>(
    `SELECT DISTINCT substring(name, ${PREFIX.length + 1}, 32) AS id FROM system.tables
     WHERE database = currentDatabase() AND match(name, '^${PREFIX}[0-9a-f]{32}_')`,
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
  const tables = await warehouse.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, {prefix:String})',
    { params: { prefix } },
  );
  for (const { name } of tables) await drop(warehouse, name);
}

/** Drops a working table, if it is there. */
export async function drop(warehouse: Warehouse, name: string): Promise<void> {
  await warehouse.command(`DROP TABLE IF EXISTS ${name} SYNC`);
}

/** Makes a working table anew, empty. */
export async function recreate(warehouse: Warehouse, name: string, columnsAndEngine: string): Promise<void> {
  await drop(warehouse, name);
  await warehouse.command(`CREATE TABLE ${name} ${columnsAndEngine}`);
}
