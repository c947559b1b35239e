import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HttpError } from './errors.mjs';

/**
 * What a request asks for.
 *
 * @typedef {object} Given
 * @property {string} query the `query` parameter; empty where the whole statement is in the body
 * @property {string} bodyPath file that holds the body; it is never held in memory
 * @property {Record<string, string>} params values of `param_x`, in ClickHouse's escaped form
 * @property {Record<string, string>} settings
 * @property {string | undefined} database
 * @property {string} format of results without a FORMAT clause
 * @property {boolean} waitForEnd
 * @property {string} queryId
 * @property {() => Promise<void>} remove deletes the body's file
 */

/** Parameters of the URL that are no settings of the engine. */
const NOT_SETTINGS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'user',
  'password',
  'session_id',
  'session_timeout',
  'session_check',
  'role',
  'wait_end_of_query',
  'buffer_size',
  'compress',
  'decompress',
  'enable_http_compression',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
]);

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {string} spool folder for bodies
 * @returns {Promise<Given>}
 */
export async function readRequest(request, spool) {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname !== '/') throw new HttpError(404, `There is no handle ${url.pathname}`);
  const bodyPath = join(spool, randomUUID());
  await pipeline(request, createWriteStream(bodyPath));
  const values = url.searchParams;
  const header = (/** @type {string} */ name) => request.headers[name]?.toString();
  const form = await readForm(header('content-type'), bodyPath);
  for (const [name, value] of form) values.set(name, value);
  return {
    query: values.get('query') ?? '',
    bodyPath,
    params: pick(values, (name) => (name.startsWith('param_') ? name.slice('param_'.length) : undefined)),
    settings: pick(values, (name) =>
      NOT_SETTINGS.has(name) || name.startsWith('param_') ? undefined : name,
    ),
    database: values.get('database') ?? header('x-clickhouse-database'),
    format: values.get('default_format') ?? header('x-clickhouse-format') ?? 'TabSeparated',
    waitForEnd: values.get('wait_end_of_query') === '1',
    queryId: values.get('query_id') ?? randomUUID(),
    remove: () => rm(bodyPath, { force: true }),
  };
}

/**
 * Fields of a multipart form, which may stand in for parameters of the URL; the body is then empty.
 *
 * @param {string | undefined} contentType
 * @param {string} bodyPath
 * @returns {Promise<[name: string, value: string][]>}
 */
async function readForm(contentType, bodyPath) {
  if (!contentType?.startsWith('multipart/form-data')) return [];
  const body = await readFile(bodyPath);
  await writeFile(bodyPath, '');
  const form = await new Response(body, { headers: { 'Content-Type': contentType } }).formData();
  return [...form].map(([name, value]) => [name, typeof value === 'string' ? value : '']);
}

/**
 * @param {URLSearchParams} values
 * @param {(name: string) => string | undefined} rename undefined leaves the entry out
 */
function pick(values, rename) {
  /** @type {Record<string, string>} */
  const picked = {};
  for (const [name, value] of values) {
    const renamed = rename(name);
    if (renamed !== undefined) picked[renamed] = value;
  }
  return picked;
}
