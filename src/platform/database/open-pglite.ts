import { chmod, cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { packageRoot } from '../package-root.js';
import type { OpenDatabase } from './database.js';

/** A data directory as initdb leaves it, made by the build (`scripts/make-pglite-template.mjs`). */
const TEMPLATE = join(packageRoot, 'dist', 'pglite-template');

/**
 * Opens (and makes on the first call) the embedded PostgreSQL in `directory`.
 *
 * initdb inside PGlite takes 3 to 6 seconds and 850 MB of memory; a copy of the build's template opens in
 * 0.7 seconds and 290 MB, so a new directory is one. It appears under its final name only when it is whole.
 */
export async function openPglite(directory: string): Promise<OpenDatabase> {
  if (!(await exists(join(directory, 'PG_VERSION')))) await make(directory);
  const client = await PGlite.create({ dataDir: directory });
  return {
    db: drizzle(client, { casing: 'snake_case' }) as unknown as OpenDatabase['db'],
    kind: 'pglite',
    ping: async () => void (await client.query('select 1')),
    close: () => client.close(),
  };
}

async function make(directory: string): Promise<void> {
  const half = `${directory}.half`;
  await rm(half, { recursive: true, force: true });
  await mkdir(dirname(directory), { recursive: true });
  if (await exists(TEMPLATE)) await cp(TEMPLATE, half, { recursive: true });
  else await (await PGlite.create({ dataDir: half })).close();
  // All may read the template, and nobody else what becomes of its copy.
  await chmod(half, 0o700);
  try {
    await rename(half, directory);
  } catch (cause) {
    await rm(half, { recursive: true, force: true });
    throw new Error(
      `${directory} holds files that are no database. Move them away, or choose another folder.`,
      {
        cause,
      },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
