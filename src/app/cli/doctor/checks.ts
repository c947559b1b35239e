import { constants } from 'node:fs';
import { access, mkdtemp, rm, stat } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { DataDirLockedError, openDataDir } from '../../../platform/data-dir/index.js';
import { openPostgres } from '../../../platform/database/index.js';
import type { Config } from '../../../platform/env/index.js';
import { openFileStore } from '../../../platform/files/index.js';
import { EgressGuard } from '../../../platform/http/index.js';
import { failed, ok, reasonOf, shown, warning, type Finding } from './finding.js';

const TIMEOUT_MS = 5000;

/** Node's version and the size of its thread pool. */
export function checkNode(env: NodeJS.ProcessEnv): Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > 20 || (major === 20 && minor >= 19);
  const node = isNew
    ? ok('Node', process.version)
    : failed('Node', process.version, 'Install Node 20.19 or newer.');
  const size = Number(env.UV_THREADPOOL_SIZE);
  const pool =
    size >= 8 || !env.UV_THREADPOOL_SIZE
      ? ok('thread pool', env.UV_THREADPOOL_SIZE ? `${size} threads` : 'npm start sets 12 threads')
      : warning('thread pool', `${size} threads`, 'Set UV_THREADPOOL_SIZE to 12: chDB runs queries there.');
  return [node, pool];
}

/** The data directory, and who has it. */
export async function checkDataDir(config: Config): Promise<Finding> {
  const { dataDir } = config;
  const name = 'data directory';
  const exists = await stat(dataDir).then(
    () => true,
    () => false,
  );
  if (!exists) return ok(name, `${dataDir} is not there yet; the first start makes it`);
  try {
    await access(dataDir, constants.R_OK | constants.W_OK);
    const taken = await openDataDir(dataDir);
    await taken.release();
    return ok(name, `${dataDir}, and no hub runs on it`);
  } catch (error) {
    if (error instanceof DataDirLockedError)
      return ok(name, `${dataDir}, in use by the hub of process ${error.pid}`);
    return failed(
      name,
      `${dataDir}: ${reasonOf(error)}`,
      'Give the user of the hub the right to write there, or set HUB_DATA.',
    );
  }
}

/** PostgreSQL, where there is one. */
export async function checkDatabase(config: Config): Promise<Finding> {
  if (!config.databaseUrl) return ok('database', 'embedded (PGlite in the data directory)');
  const at = shown(config.databaseUrl);
  const database = openPostgres(config.databaseUrl, () => undefined);
  try {
    await database.ping();
    return ok('database', at);
  } catch (error) {
    return failed(
      'database',
      `${at}: ${reasonOf(error)}`,
      'Start PostgreSQL, or mend DATABASE_URL (host, user, password, database).',
    );
  } finally {
    await database.close();
  }
}

/** ClickHouse, where there is one. */
export async function checkWarehouse(config: Config): Promise<Finding> {
  if (!config.clickHouse) return ok('warehouse', 'embedded (chDB in the data directory)');
  const { url, username, password } = config.clickHouse;
  const fix = 'Start ClickHouse, or mend CLICKHOUSE_URL (host, port of HTTP, user, password).';
  try {
    const response = await fetch(`${url}/?query=SELECT%201`, {
      headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return response.ok
      ? ok('warehouse', url)
      : failed('warehouse', `${url} answered ${response.status}`, fix);
  } catch (error) {
    return failed('warehouse', `${url}: ${reasonOf(error)}`, fix);
  }
}

/** Redis, where there is one. */
export async function checkQueue(config: Config): Promise<Finding> {
  if (!config.redisUrl) return ok('queue', 'in this process');
  const { hostname, port } = new URL(config.redisUrl);
  const at = shown(config.redisUrl);
  return (await answers(hostname, Number(port) || 6379))
    ? ok('queue', at)
    : failed('queue', `${at} does not answer`, 'Start Redis, or mend REDIS_URL.');
}

/** The file store: writes, reads and deletes a file. */
export async function checkFiles(config: Config): Promise<Finding> {
  const { files } = config;
  const at = files.kind === 'folder' ? files.path : `s3://${files.bucket}/${files.prefix}`;
  // An embedded store is as good as the data directory, which may not be there yet.
  if (files.kind === 'folder' && files.path.startsWith(config.dataDir)) return ok('files', at);
  const key = `doctor/${process.pid}-${Date.now()}`;
  try {
    const store = openFileStore(files);
    await store.put(key, 'written by hub doctor\n');
    await store.delete(key);
    return ok('files', at);
  } catch (error) {
    return failed(
      'files',
      `${at}: ${reasonOf(error)}`,
      'Mend HUB_FILES and its endpoint, region and keys; the hub writes, reads and deletes there.',
    );
  }
}

/** The mail server, where there is one. */
export async function checkMail(config: Config): Promise<Finding> {
  if (!config.smtpUrl) {
    return warning('mail', 'SMTP_URL is not set', 'Mails stay in GET /outbox until SMTP_URL is set.');
  }
  const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
  const transport = createTransport({ url: config.smtpUrl, ...timeouts });
  const at = shown(config.smtpUrl);
  try {
    await transport.verify();
    return ok('mail', at);
  } catch (error) {
    return failed(
      'mail',
      `${at}: ${reasonOf(error)}`,
      'Start the mail server, or mend SMTP_URL (host, port, user, password).',
    );
  } finally {
    transport.close();
  }
}

/** What partners' addresses may be. */
export async function checkEgress(config: Config): Promise<Finding> {
  if (config.allowPrivateEgress) {
    return warning(
      'egress',
      'private addresses are allowed',
      'Leave HUB_ALLOW_PRIVATE_EGRESS out where people who are not trusted configure outputs.',
    );
  }
  const guard = new EgressGuard({ allowPrivate: false });
  try {
    guard.assertAddressAllowed(new URL('http://169.254.169.254/'));
  } catch {
    return ok('egress', 'private and link-local addresses are refused');
  }
  return failed('egress', 'a link-local address was let through', 'This is a mistake of the hub: report it.');
}

/** The clock against the file system's; signatures and leases need it right. */
export async function checkClock(): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-doctor-'));
  try {
    const { mtimeMs } = await stat(folder);
    const offMs = Math.abs(Date.now() - mtimeMs);
    const now = new Date().toISOString();
    if (new Date().getFullYear() >= 2025 && offMs < 5000) return ok('clock', now);
    return warning('clock', now, 'Set the clock (NTP): signatures, tokens and leases depend on it.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port });
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(TIMEOUT_MS, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
