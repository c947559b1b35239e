import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { packageRoot } from '../package-root.js';
import type { Database } from './database.js';

/** Any number of processes may start at once; this key lets one of them migrate at a time. */
const MIGRATION_LOCK = 7_240_118;

/**
 * Brings the schema up to date from migrations/. One transaction: killed in the middle, nothing happened.
 * Returns how many migrations were applied.
 */
export async function migrate(db: Database): Promise<number> {
  const files = readMigrationFiles({ migrationsFolder: join(packageRoot, 'migrations') });
  return db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await tx.execute(
      sql`create table if not exists hub_migrations (hash text primary key, applied_at timestamptz not null default now())`,
    );
    const applied = rowsOf<{ hash: string }>(await tx.execute(sql`select hash from hub_migrations`));
    const known = new Set(applied.map((row) => row.hash));
    const missing = files.filter((file) => !known.has(file.hash));
    for (const file of missing) {
      for (const statement of file.sql) await tx.execute(sql.raw(statement));
      await tx.execute(sql`insert into hub_migrations (hash) values (${file.hash})`);
    }
    return missing.length;
  });
}

/** Rows of `db.execute`, which PGlite and node-postgres both put under `rows`. */
export function rowsOf<Row>(result: unknown): Row[] {
  return (result as { rows: Row[] }).rows;
}
