import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
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
 * initdb inside PGlite takes seconds and 800 MB of memory, so a new directory is a copy of the build's
 * template; the copy appears under its final name only when it is whole.
 */
export async function openPglite(directory: string): Promise<OpenDatabase> {
  if (!(await exists(directory)) && (await exists(TEMPLATE))) await copyWhole(TEMPLATE, directory);
  const client = await PGlite.create({ dataDir: directory });
  return {
    db: drizzle(client, { casing: 'snake_case' }) as unknown as OpenDatabase['db'],
    kind: 'pglite',
    ping: async () => void (await client.query('select 1')),
    close: () => client.close(),
  };
}

async function copyWhole(from: string, to: string): Promise<void> {
  const half = `${to}.half`;
  await rm(half, { recursive: true, force: true });
  await mkdir(dirname(to), { recursive: true });
  await cp(from, half, { recursive: true });
  await rename(half, to);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
