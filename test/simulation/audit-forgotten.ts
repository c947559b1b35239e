import { eq, sql } from 'drizzle-orm';
import { audiences, rowsOf } from '../../src/platform/database/index.js';
import { emailOf, idOf, phoneOf } from './people.js';
import type { World } from './world.js';

/** What the hub may know of people who were erased. */
interface Traces {
  mpids: string[];
  /** Their identities. */
  values: string[];
}

/** No table has anything of anybody who was erased: not the warehouse's, not the database's. */
export async function keptProblems(world: World): Promise<string[]> {
  const erased = world.leavers.filter(({ kind }) => kind === 'erase');
  const traces: Traces = {
    mpids: [...new Set(erased.flatMap(({ mpid }) => mpid ?? []))],
    values: erased.flatMap(({ person }) => [
      idOf(person),
      emailOf(person, 'first'),
      emailOf(person, 'second'),
      phoneOf(person),
    ]),
  };
  if (traces.mpids.length === 0) return [];
  return [...(await inWarehouse(world, traces)), ...(await inDatabase(world, traces))];
}

/** Every table that has a workspace or an audience, and people. */
async function inWarehouse({ storage, number, db, workspaceId }: World, { mpids, values }: Traces) {
  const own = await db
    .select({ id: audiences.id })
    .from(audiences)
    .where(eq(audiences.workspaceId, workspaceId));
  const tables = await storage.warehouse.query<{ table: string; names: string[] }>(
    `SELECT table, groupArray(name) AS names FROM system.columns WHERE database = currentDatabase()
     GROUP BY table HAVING has(names, 'mpid') ORDER BY table`,
  );
  const theirs = `mpid IN (${mpids.map((mpid) => `toInt64('${mpid}')`).join()})`;
  const said = `value IN (${values.map((value) => `'${value}'`).join()})`;
  const selects = tables.flatMap(({ table, names }) => {
    const ids = own.map(({ id }) => id).join() || '0';
    const within = names.includes('audience_id') ? `audience_id IN (${ids})` : `workspace = ${number}`;
    if (!names.includes('audience_id') && !names.includes('workspace')) return [];
    const what = names.includes('value') && names.includes('type') ? `(${theirs} OR ${said})` : theirs;
    return [`SELECT DISTINCT '${table}' AS t, toString(mpid) AS m FROM ${table} WHERE ${within} AND ${what}`];
  });
  const found = await storage.warehouse.query<{ t: string; m: string }>(selects.join(' UNION ALL '));
  return found.map(({ t, m }) => `${m} was erased, and is in ${t}.`);
}

/** Any column of any table. */
async function inDatabase({ db }: World, { mpids, values }: Traces): Promise<string[]> {
  const names = rowsOf<{ name: string }>(
    await db.execute(sql`select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`),
  );
  const mails = values
    .filter((value) => value.includes('@'))
    .map((value) => value.replace('.', String.raw`\.`));
  const pattern = `(^|[^0-9a-z-])(${[...mpids, ...mails].join('|')})([^0-9a-z]|$)`;
  const selects = names.map(
    ({ name }) => sql`select ${name}::text as name, t::text as row from ${sql.identifier(name)} as t
      where t::text ~ ${pattern}`,
  );
  const found = rowsOf<{ name: string; row: string }>(await db.execute(sql.join(selects, sql` union all `)));
  return found.map(({ name, row }) => `Somebody who was erased is in ${name}: ${row}.`);
}
