import { codeOf } from '../../../domain/identities/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { entriesSql, entrySql, FORM_CODES, formsSql, type KeyParams } from '../../suppressions/index.js';
import type { ResolveRequest } from './resolve.js';
import { isSingle } from './stage.js';
import { drop, isThere } from './tables.js';

type Staged = Pick<ResolveRequest, 'workspace' | 'tables' | 'plan'>;

/** Whether anybody of the workspace is suppressed: by the table's key, at once. */
export async function anySuppressed(warehouse: Warehouse, workspace: number): Promise<boolean> {
  const rows = await warehouse.query(`SELECT 1 FROM suppressions WHERE workspace = ${workspace} LIMIT 1`);
  return rows.length > 0;
}

/** What was taken out of a stage. */
export interface Withheld {
  /** Rows of the file, all runs together. */
  rows: number;
  /** Whether this run found some. */
  anew: boolean;
}

/**
 * Takes the rows of suppressed people out of the stage: a row with one suppressed identity is none that any of its
 * others brings in. Table `withheld` keeps which rows they were, so that they are counted whoever runs it again.
 */
export async function withhold(warehouse: Warehouse, staged: Staged, key: KeyParams): Promise<Withheld> {
  const { tables, plan } = staged;
  const { withheld, stage } = tables;
  const column = isSingle(plan) ? 'hash' : 'row';
  const isRow = isSingle(plan) ? 'bad = 0' : 'type != 0 AND first = 1';
  if (!(await isThere(warehouse, withheld))) {
    await warehouse.command(
      `CREATE TABLE IF NOT EXISTS ${withheld} (key UInt128, n UInt64) ENGINE = MergeTree ORDER BY key`,
    );
  }
  await warehouse.command(
    `INSERT INTO ${withheld} SELECT ${column} AS key, count() AS n FROM ${stage}
     WHERE ${isRow} AND ${column} IN (${await suspectsSql(warehouse, staged)}) GROUP BY key`,
    { lane: 'bulk', params: key },
  );
  const [found] = await warehouse.query<{ n: string; present: string }>(
    `SELECT (SELECT sum(n) FROM (SELECT max(n) AS n FROM ${withheld} GROUP BY key)) AS n,
       (SELECT count() FROM ${stage} WHERE ${column} IN (SELECT key FROM ${withheld})) AS present`,
    { lane: 'bulk' },
  );
  const anew = Number(found?.present ?? 0) > 0;
  if (anew) await takeOut(warehouse, staged, column);
  return { rows: Number(found?.n ?? 0), anew };
}

/** `SELECT` of the hashes or row keys of the stage that have a suppressed identity. */
async function suspectsSql(warehouse: Warehouse, { workspace, tables, plan }: Staged): Promise<string> {
  const [only] = plan.mapping.identities;
  const single = isSingle(plan) && only !== undefined;
  const type = single ? `toUInt8(${codeOf(only.type)})` : 'type';
  const where = single ? 'bad = 0' : 'type != 0';
  const keys = single ? 'hash' : 'row';
  const own = `SELECT ${keys} FROM ${tables.stage}
    WHERE ${where} AND (${type}, ${entrySql(workspace, type, 'hash')}) IN (${entriesSql(workspace)})`;
  if (!(await anyHashesGiven(warehouse, workspace))) return own;
  // Somebody was suppressed by a hash alone: raw values have to be hashed to be held against it.
  const select = `SELECT ${type} AS type, value, ${keys} AS key FROM ${tables.stage} WHERE ${where}`;
  const forms = (['email', 'phone'] as const).map(
    (raw) => `SELECT key FROM (${formsSql(raw, select, ['key'])})
      WHERE (type, ${entrySql(workspace, 'type', 'hash')}) IN (${entriesSql(workspace)})`,
  );
  return [own, ...forms].join(' UNION ALL ');
}

async function anyHashesGiven(warehouse: Warehouse, workspace: number): Promise<boolean> {
  const rows = await warehouse.query(
    `SELECT 1 FROM suppressions
     WHERE workspace = ${workspace} AND type IN (${FORM_CODES.join(', ')}) AND origin = 0 LIMIT 1`,
  );
  return rows.length > 0;
}

/** Puts a stage without them in the place of the stage; cut off, it is done again. */
async function takeOut(warehouse: Warehouse, { tables }: Staged, column: string): Promise<void> {
  const kept = `${tables.scratch}kept`;
  await drop(warehouse, kept);
  await warehouse.command(`CREATE TABLE ${kept} AS ${tables.stage}`);
  await warehouse.command(
    `INSERT INTO ${kept} SELECT * FROM ${tables.stage} WHERE ${column} NOT IN (SELECT key FROM ${tables.withheld})`,
    { lane: 'bulk' },
  );
  await warehouse.command(`EXCHANGE TABLES ${kept} AND ${tables.stage}`);
  await drop(warehouse, kept);
}
