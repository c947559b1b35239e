/**
 * A test-only server: ClickHouse's HTTP interface in front of chDB, one data directory a process.
 *
 * Started by start.ts as `node server.mjs DIRECTORY`; prints `{"port": n}` once it listens, and ends when its
 * standard input does, so that it never outlives the test. Every request has an engine session of its own:
 * settings, parameters and the current database of one never show in another.
 */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Session } from 'chdb';
import { answerError } from './errors.mjs';
import { readRequest } from './request.mjs';
import { prepare } from './statement.mjs';

const MAX_URL_BYTES = 2 ** 20;
const MAX_PARAM_BYTES = 2 ** 30;

const [directory = ''] = process.argv.slice(2);
const data = join(directory, 'data');
const spool = join(directory, 'spool');
mkdirSync(spool, { recursive: true });
const root = new Session(data); // keeps the engine up between requests

const server = createServer({ maxHeaderSize: MAX_URL_BYTES }, (request, response) => {
  answer(request, response).catch((error) => answerError(response, error));
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 })}\n`);
});
process.stdin.resume().once('end', stop);
process.once('SIGTERM', stop);

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function answer(request, response) {
  if (request.url === '/ping') {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' }).end('Ok.\n');
    return;
  }
  const given = await readRequest(request, spool);
  const session = new Session(data);
  try {
    const statement = await prepare(given);
    if (given.database !== undefined) await session.queryAsync(`USE ${identifier(given.database)}`);
    for (const [name, value] of Object.entries(given.settings)) {
      await session.queryAsync(`SET ${identifier(name)} = ${literal(value)}`);
    }
    await setParams(session, given.params);
    response.setHeader('X-ClickHouse-Query-Id', given.queryId);
    response.setHeader('X-ClickHouse-Timezone', 'UTC');
    if (given.waitForEnd || !/^\s*(select|with)\b/i.test(statement))
      await whole(session, statement, given.format, response);
    else await streamed(session, statement, given.format, response);
  } finally {
    session.close();
    await given.remove();
  }
}

/**
 * The result after the query has ended, so that the status says how.
 *
 * @param {Session} session
 * @param {string} statement
 * @param {string} format
 * @param {import('node:http').ServerResponse} response
 */
async function whole(session, statement, format, response) {
  const result = await session.queryAsync(statement, { format });
  const summary = { read_rows: String(result.rowsRead), read_bytes: String(result.bytesRead) };
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(summary));
  response.writeHead(200).end(result.bytes());
}

/**
 * The result as it comes. A query that fails on the way breaks the connection, as the real server does.
 *
 * @param {Session} session
 * @param {string} statement
 * @param {string} format
 * @param {import('node:http').ServerResponse} response
 */
async function streamed(session, statement, format, response) {
  const chunks = session.queryStream(statement, { format })[Symbol.asyncIterator]();
  const first = await chunks.next(); // what fails before the first row still gets a status
  await pipeline(async function* () {
    for (let next = first; !next.done; next = await chunks.next()) yield next.value.raw();
  }, response);
}

/**
 * A parameter may be longer than a query.
 *
 * @param {Session} session
 * @param {Record<string, string>} params
 */
async function setParams(session, params) {
  const entries = Object.entries(params);
  if (entries.length === 0) return;
  await session.queryAsync(`SET max_query_size = ${MAX_PARAM_BYTES}`);
  for (const [name, value] of entries) {
    await session.queryAsync(`SET ${identifier(`param_${name}`)} = ${literal(value)}`);
  }
  await session.queryAsync('SET max_query_size = DEFAULT');
}

/** @param {string} name */
function identifier(name) {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** @param {string} text */
function literal(text) {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function stop() {
  server.close();
  server.closeAllConnections();
  root.close();
  process.exit(0);
}
