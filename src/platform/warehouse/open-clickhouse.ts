import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createClient } from '@clickhouse/client';
import { sqlString } from '../../domain/sql-text.js';
import { asWarehouseError } from './engine-error.js';
import { bound, Engine, SILENT } from './engine.js';
import { assertFile, removingOnFailure } from './local-file.js';
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
    log: SILENT,
    // Long lists go into the body: addresses of more than some kilobytes are refused on the way.
    use_multipart_params_auto: true,
    compression: { request: false, response: false },
    clickhouse_settings: {
      // A result must be whole before its status line says that it is.
      wait_end_of_query: 1,
      // Numbers of JavaScript hold 53 bits.
      output_format_json_quote_64bit_integers: 1,
      query_plan_convert_any_join_to_semi_or_anti_join: 0,
      query_plan_convert_outer_join_to_inner_join: 0,
    } as Record<string, number>,
  });
  const engine = new Engine({ bulk: times(2, client), quick: times(8, client) });
  return {
    kind: 'clickhouse',
    query: (sql, options) => engine.query(sql, options),
    rows: (select, options) => engine.rows(select, options),
    command: (sql, options) => engine.command(sql, options),
    load: (file, target, select, options = {}) =>
      engine.run('bulk', async () => {
        await assertFile(file.path);
        const settings = settingsClause({ ...file.settings, ...options.settings });
        const query = `INSERT INTO ${target} ${select(inputTable(file))}${settings} FORMAT ${file.format}`;
        await sent(file.path, async (values, signal) => {
          const result = await client.exec({ query, values, abort_signal: signal, ...bound(options) });
          await drained(result.stream);
        });
      }),
    unload: (file, select, options = {}) =>
      engine.run('bulk', async () => {
        const query = `${select}${settingsClause(options.settings)} FORMAT ${file.format}`;
        await removingOnFailure(file.path, async () => {
          const result = await client.exec({
            query,
            ...bound(options),
            clickhouse_settings: { wait_end_of_query: 0 },
          });
          await pipeline(result.stream, createWriteStream(file.path));
        });
      }),
    async ping() {
      const answer = await client.ping();
      if (!answer.success) throw asWarehouseError(answer.error);
    },
    close: () => engine.close(),
  };
}

function times<T>(count: number, item: T): T[] {
  return Array.from({ length: count }, () => item);
}

/** Streams the file to `send`; a file that cannot be read aborts the request and is the error. */
async function sent(
  path: string,
  send: (values: Readable, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const values = createReadStream(path);
  const unread = new AbortController();
  const opened = once(values, 'open');
  values.on('error', (error) => unread.abort(error));
  try {
    await opened;
    await send(values, unread.signal);
  } catch (error) {
    throw unread.signal.aborted ? unread.signal.reason : error;
  } finally {
    values.destroy();
  }
}

function inputTable(file: FileSource): string {
  return `input(${sqlString(file.structure)})`;
}

async function drained(stream: Readable): Promise<void> {
  stream.resume();
  await finished(stream, { writable: false });
}
