import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createClient } from '@clickhouse/client';
import { bound, Engine } from './engine.js';
import { settingsClause, type FileSource, type Warehouse } from './warehouse.js';

/** Long enough for a bulk statement over hundreds of millions of rows. */
const REQUEST_TIMEOUT_MS = 6 * 60 * 60 * 1000;

/**
 * A ClickHouse server or cluster by HTTP: `http(s)://user:password@host:8123/database`. Files are streamed to
 * and from it as they are; the server parses and writes them.
 */
export function openClickHouse(url: string): Warehouse {
  const client = createClient({
    url,
    request_timeout: REQUEST_TIMEOUT_MS,
    application: 'audience-hub',
    compression: { request: false, response: false },
    clickhouse_settings: {
      // A result must be whole before its status line says that it is.
      wait_end_of_query: 1,
      query_plan_convert_any_join_to_semi_or_anti_join: 0,
      query_plan_convert_outer_join_to_inner_join: 0,
    } as Record<string, number>,
  });
  const engine = new Engine(client, { bulk: 2, quick: 8 });
  return {
    kind: 'clickhouse',
    query: (sql, options) => engine.query(sql, options),
    command: (sql, options) => engine.command(sql, options),
    load: (file, target, select, options = {}) =>
      engine.run('bulk', async () => {
        const settings = settingsClause({ ...file.settings, ...options.settings });
        const query = `INSERT INTO ${target} ${select(inputTable(file))}${settings} FORMAT ${file.format}`;
        const result = await client.exec({ query, values: createReadStream(file.path), ...bound(options) });
        await drained(result.stream);
      }),
    unload: (file, select, options = {}) =>
      engine.run('bulk', async () => {
        const query = `${select}${settingsClause(options.settings)} FORMAT ${file.format}`;
        const result = await client.exec({
          query,
          ...bound(options),
          clickhouse_settings: { wait_end_of_query: 0 },
        });
        await pipeline(result.stream, createWriteStream(file.path));
      }),
    async ping() {
      const answer = await client.ping();
      if (!answer.success) throw answer.error;
    },
    close: () => client.close(),
  };
}

function inputTable(file: FileSource): string {
  return `input('${file.structure.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}')`;
}

async function drained(stream: NodeJS.ReadableStream): Promise<void> {
  stream.resume();
  await new Promise<void>((resolve, reject) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
    stream.once('error', reject);
  });
}
