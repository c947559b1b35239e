import { availableParallelism } from 'node:os';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SystemClock } from '../platform/clock/index.js';
import { LinkSigner, loadSecretKey, SecretBox } from '../platform/crypto/index.js';
import { DataDirLockedError, DataDirUnusableError, openDataDir } from '../platform/data-dir/index.js';
import { migrate, openPglite, openPostgres, type OpenDatabase } from '../platform/database/index.js';
import type { Config } from '../platform/env/index.js';
import { Destinations, openFileStore, type FileStore } from '../platform/files/index.js';
import { EgressClient, EgressGuard } from '../platform/http/index.js';
import { Leases } from '../platform/lease/index.js';
import type { Logger } from '../platform/log/index.js';
import { createMailer } from '../platform/mail/index.js';
import { Metrics } from '../platform/metrics/index.js';
import { createTables, openChdb, openClickHouse, type Warehouse } from '../platform/warehouse/index.js';
import { Closers } from './closers.js';
import { checkSecretKey } from './secret-key-check.js';
import { StartupError } from './startup-error.js';
import type { Platform } from './platform.js';

/**
 * Opens everything the hub stands on, in order. Where a part does not open, those before it are closed
 * again and the StartupError names the part.
 */
export async function openPlatform(config: Config, log: Logger): Promise<Platform> {
  const closers = new Closers();
  const close = () =>
    closers.closeAll((part, err) => log.error({ err, part }, 'a part of the hub did not close'));
  try {
    return { ...(await openParts(config, log, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openParts(config: Config, log: Logger, closers: Closers): Promise<Omit<Platform, 'close'>> {
  const clock = new SystemClock();
  await opening(`the data directory ${config.dataDir} (HUB_DATA)`, () => takeDataDir(config, closers));
  const masterKey = await opening('the secret key (HUB_SECRET_KEY)', () =>
    loadSecretKey(config.dataDir, config.secretKey),
  );
  const secretBox = new SecretBox(masterKey);
  const database = await opening(databaseName(config), () => openDatabase(config, log));
  closers.add('database', () => database.close());
  await opening(`the schema of ${databaseName(config)}`, () => migrate(database.db));
  await checkSecretKey(database.db, secretBox);
  const leases = new Leases(database.db, config.leaseMs);
  // The data directory is locked: whoever held a lease of an embedded database is dead, and nobody need wait.
  if (database.kind === 'pglite') await leases.releaseAll();
  const warehouse = await opening(warehouseName(config), () => openWarehouse(config, closers));
  const files = await opening('the file store (HUB_FILES)', async () => openFileStore(config.files));
  // Likewise, whoever was writing a file is dead.
  if (database.kind === 'pglite') await clearDrafts(files, log);
  const guard = new EgressGuard({ allowPrivate: config.allowPrivateEgress });
  const http = new EgressClient({ guard, now: () => clock.now() });
  closers.add('HTTP client', () => http.close());
  const destinations = new Destinations({ guard, roots: config.dropRoots });
  closers.add('destinations', () => destinations.close());
  const mailer = createMailer({ smtpUrl: config.smtpUrl, from: config.mailFrom });
  closers.add('mailer', () => mailer.close());
  return {
    config,
    log,
    clock,
    mailer,
    metrics: new Metrics(),
    database,
    warehouse,
    files,
    guard,
    http,
    destinations,
    secretBox,
    linkSigner: new LinkSigner(masterKey),
    leases,
  };
}

/** Held by one process where an embedded engine lives in it; otherwise it only has the key file, for any number. */
async function takeDataDir(config: Config, closers: Closers): Promise<void> {
  if (config.databaseUrl && config.clickHouse) {
    await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
    return;
  }
  const dataDir = await openDataDir(config.dataDir);
  closers.add('data directory', () => dataDir.release());
}

/** Nothing waits for it: drafts take space and do no other harm. */
async function clearDrafts(files: FileStore, log: Logger): Promise<void> {
  try {
    const cleared = await files.clearDrafts('all');
    if (cleared > 0) log.info({ cleared }, 'cleared away files that a dead process had half written');
  } catch (err) {
    log.warn({ err }, 'half-written files could not be cleared away; the next start tries again');
  }
}

async function openDatabase(config: Config, log: Logger): Promise<OpenDatabase> {
  if (!config.databaseUrl) return openPglite(join(config.dataDir, 'postgres'));
  const database = openPostgres(config.databaseUrl, (error) =>
    log.warn({ reason: error.message }, 'a connection to PostgreSQL broke'),
  );
  try {
    await database.ping();
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

async function openWarehouse(config: Config, closers: Closers): Promise<Warehouse> {
  const warehouse = config.clickHouse
    ? openClickHouse(clickHouseUrl(config.clickHouse))
    : await openChdb({
        directory: join(config.dataDir, 'warehouse'),
        memoryBytes: config.warehouseMemoryBytes,
        threads: availableParallelism(),
      });
  closers.add('warehouse', () => warehouse.close());
  await warehouse.ping();
  await createTables(warehouse);
  return warehouse;
}

function clickHouseUrl(address: NonNullable<Config['clickHouse']>): string {
  const url = new URL(address.url);
  url.username = encodeURIComponent(address.username);
  url.password = encodeURIComponent(address.password);
  url.pathname = `/${encodeURIComponent(address.database)}`;
  return url.href;
}

function databaseName(config: Config): string {
  return config.databaseUrl ? 'PostgreSQL (DATABASE_URL)' : 'the embedded database (PGlite in HUB_DATA)';
}

function warehouseName(config: Config): string {
  return config.clickHouse ? 'ClickHouse (CLICKHOUSE_URL)' : 'the embedded warehouse (chDB in HUB_DATA)';
}

async function opening<T>(part: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const saysAll = error instanceof DataDirLockedError || error instanceof DataDirUnusableError;
    if (saysAll) throw new StartupError(error.message, { cause: error });
    const reason = error instanceof Error ? reasonOf(error) : String(error);
    throw new StartupError(`The hub did not start: ${part} did not open. ${reason}`, { cause: error });
  }
}

/** Errors of several connection attempts have no message of their own. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one) => String(one)).join('; ');
  return error.message || error.name;
}
