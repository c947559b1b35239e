import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { migrate, openPglite, openPostgres, type OpenDatabase } from '../../src/platform/database/index.js';
import { SERVICE_URLS } from './services.js';

/** A database of its own for a spec. */
export interface TemporaryDatabase extends OpenDatabase {
  /** Another connection, as another process would have it; PGlite has one connection and gives itself. */
  another(): OpenDatabase;
  /** Closes every connection and removes the database. */
  close(): Promise<void>;
}

export interface TemporaryDatabaseOptions {
  /** False leaves it empty; by default the schema is there. */
  migrated?: boolean;
}

/** The embedded database in a temporary folder. */
export async function temporaryPglite(options: TemporaryDatabaseOptions = {}): Promise<TemporaryDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-pglite-'));
  const open = await openPglite(join(folder, 'database'));
  if (options.migrated ?? true) await migrate(open.db);
  return {
    ...open,
    another: () => ({ ...open, close: () => Promise.resolve() }),
    async close() {
      await open.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new database on the PostgreSQL server at `serverUrl`. */
export async function temporaryPostgres(
  options: TemporaryDatabaseOptions & { serverUrl?: string } = {},
): Promise<TemporaryDatabase & { url: string }> {
  const serverUrl = options.serverUrl ?? SERVICE_URLS.PostgreSQL;
  const name = `hub_test_${randomUUID().replaceAll('-', '')}`;
  await administer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const opened: OpenDatabase[] = [];
  const another = () => {
    const open = openPostgres(url.href, () => undefined);
    opened.push(open);
    return { ...open, close: () => closeOnce(opened, open) };
  };
  const first = another();
  if (options.migrated ?? true) await migrate(first.db);
  return {
    ...first,
    url: url.href,
    another,
    async close() {
      await Promise.all(opened.map((open) => closeOnce(opened, open)));
      await administer(serverUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

/** A copy of a database that nobody is connected to. */
export async function copyOfPostgres(url: string): Promise<{ url: string; remove(): Promise<void> }> {
  const original = new URL(url).pathname.slice(1);
  const copy = `hub_test_${randomUUID().replaceAll('-', '')}`;
  const [serverUrl, copyUrl] = [new URL(url), new URL(url)];
  serverUrl.pathname = '/postgres';
  copyUrl.pathname = `/${copy}`;
  await administer(serverUrl.href, `create database ${copy} template ${original}`);
  return {
    url: copyUrl.href,
    remove: () => administer(serverUrl.href, `drop database if exists ${copy} with (force)`),
  };
}

async function closeOnce(opened: OpenDatabase[], open: OpenDatabase): Promise<void> {
  const index = opened.indexOf(open);
  if (index === -1) return;
  opened.splice(index, 1);
  await open.close();
}

async function administer(serverUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
