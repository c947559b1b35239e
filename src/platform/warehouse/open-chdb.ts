import { mkdir } from 'node:fs/promises';
import { createClient } from '@clickhouse/client';
import { drainPending } from 'chdb';
import { createChdbConnection } from 'chdb/connection';
import { bound, Engine } from './engine.js';
import {
  settingsClause,
  type FileSource,
  type QueryOptions,
  type SqlSettings,
  type Warehouse,
} from './warehouse.js';

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
 * ClickHouse in this process. Queries run on libuv's pool (see UV_THREADPOOL_SIZE in the deployment guide),
 * so few run at once: one of the bulk lane, two quick ones, and the rest of the pool is left to files.
 */
export async function openChdb(options: ChdbOptions): Promise<Warehouse> {
  await mkdir(options.directory, { recursive: true });
  const connection = createChdbConnection({ path: options.directory });
  // The same interface declared by two packages; the client's own declaration is the one it wants to see.
  const client = createClient({ connection: connection as unknown as ClientConnection });
  const engine = new Engine(client, { bulk: 1, quick: 2 });
  await engine.command(`SET ${assignments(ceilings(options))}`);
  return {
    kind: 'chdb',
    query: (sql, queryOptions) => engine.query(sql, queryOptions),
    command: (sql, queryOptions) => engine.command(sql, queryOptions),
    load: (file, target, select, queryOptions) =>
      engine.command(`INSERT INTO ${target} ${select(fileTable(file))}`, loadOptions(file, queryOptions)),
    unload: (file, select, queryOptions = {}) =>
      engine.run('bulk', async () => {
        const into = `INSERT INTO FUNCTION file(${literal(file.path)}, '${file.format}', ${literal(file.structure)})`;
        const query = `${into} ${select}${settingsClause(queryOptions.settings)}`;
        await engine.client.command({ query, ...bound(queryOptions) });
      }),
    ping: async () => void (await engine.query('SELECT 1')),
    async close() {
      await drainPending();
      await engine.client.close();
      await drainPending();
    },
  };
}

function ceilings(options: ChdbOptions): SqlSettings {
  return {
    max_threads: options.threads,
    max_insert_threads: options.threads,
    max_memory_usage: options.memoryBytes,
    max_bytes_before_external_group_by: Math.floor(options.memoryBytes / 3),
    max_bytes_before_external_sort: Math.floor(options.memoryBytes / 3),
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

function fileTable(file: FileSource): string {
  return `file(${literal(file.path)}, '${file.format}', ${literal(file.structure)})`;
}

function loadOptions(file: FileSource, options: QueryOptions = {}): QueryOptions {
  return { ...options, lane: 'bulk', settings: { ...file.settings, ...options.settings } };
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
