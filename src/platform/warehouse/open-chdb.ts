import { mkdir } from 'node:fs/promises';
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { sqlString } from '../../domain/sql-text.js';
import { bound, Engine, SILENT } from './engine.js';
import { loadChdb, type Chdb } from './load-chdb.js';
import { assertFile, removingOnFailure } from './local-file.js';
import { settingsClause, WarehouseError, type SqlSettings, type Warehouse } from './warehouse.js';

type ClientConnection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

export interface ChdbOptions {
  /** Data directory; one process at a time. */
  directory: string;
  /** Ceiling of one bulk query; beyond half of it, sorting and grouping spill to disk. */
  memoryBytes: number;
  /** Threads of a query. */
  threads: number;
}

/**
 * ClickHouse in this process. A connection of chDB runs one query at a time, so each lane has its own: one
 * bulk query and two quick ones run at once. Queries run on libuv's pool (see UV_THREADPOOL_SIZE in the
 * deployment guide); the rest of the pool is left to files.
 */
export async function openChdb(options: ChdbOptions): Promise<Warehouse> {
  await mkdir(options.directory, { recursive: true });
  const chdb = await loadChdb();
  const connect = () => connectTo(chdb, options);
  const engine = new Engine({ bulk: [await connect()], quick: [await connect(), await connect()] });
  return {
    kind: 'chdb',
    query: (sql, queryOptions) => engine.query(sql, queryOptions),
    rows: (select, queryOptions) => engine.rows(select, queryOptions),
    command: (sql, queryOptions) => engine.command(sql, queryOptions),
    load: (file, target, select, queryOptions = {}) =>
      engine.run('bulk', async (client) => {
        await assertFile(file.path);
        const settings = settingsClause({ ...file.settings, ...queryOptions.settings });
        const query = `INSERT INTO ${target} ${select(fileTable(file))}${settings}`;
        await client.command({ query, ...bound(queryOptions) });
      }),
    unload: (file, select, queryOptions = {}) =>
      engine.run('bulk', async (client) => {
        const settings = { ...queryOptions.settings, engine_file_truncate_on_insert: 1 };
        const query = `INSERT INTO FUNCTION ${fileTable(file)} ${select}${settingsClause(settings)}`;
        await removingOnFailure(file.path, () => client.command({ query, ...bound(queryOptions) }));
      }),
    ping: async () => void (await engine.query('SELECT 1')),
    async close() {
      await engine.close();
      await chdb.drainPending();
    },
  };
}

async function connectTo(chdb: Chdb, options: ChdbOptions): Promise<ClickHouseClient> {
  const connection = chdb.createChdbConnection({ path: options.directory });
  // The same interface declared by two packages; the client's own declaration is the one it wants to see.
  const client = createClient({ connection: connection as unknown as ClientConnection, log: SILENT });
  await client.command({ query: `SET ${assignments(ceilings(options))}` });
  return client;
}

function ceilings(options: ChdbOptions): SqlSettings {
  return {
    max_threads: options.threads,
    max_insert_threads: options.threads,
    max_memory_usage: options.memoryBytes,
    max_bytes_before_external_group_by: Math.floor(options.memoryBytes / 3),
    max_bytes_before_external_sort: Math.floor(options.memoryBytes / 3),
    // Numbers of JavaScript hold 53 bits.
    output_format_json_quote_64bit_integers: 1,
    // Joins over hash-ordered tables merge; see the ledger's queries.
    query_plan_convert_any_join_to_semi_or_anti_join: 0,
    query_plan_convert_outer_join_to_inner_join: 0,
  };
}

function assignments(settings: SqlSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ');
}

/** `none`: the file is taken as it is, whatever its name says. */
function fileTable(file: { path: string; format: string; structure: string }): string {
  if (/[*?{}]/.test(file.path)) {
    const message = `The path ${file.path} holds one of * ? { }, which chDB takes for a pattern. Move the data directory.`;
    throw new WarehouseError(message, undefined);
  }
  return `file(${sqlString(file.path)}, '${file.format}', ${sqlString(file.structure)}, 'none')`;
}
