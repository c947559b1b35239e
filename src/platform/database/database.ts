import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

/**
 * The metadata database through Drizzle: PGlite or PostgreSQL, the same queries for both.
 *
 * PGlite has one connection: inside `transaction(async (tx) => …)` use `tx` only, or the call waits for
 * itself for ever.
 */
export type Database = PgDatabase<PgQueryResultHKT, Record<string, never>>;

/** A transaction of {@link Database}. Functions that take part in one accept `Database | Transaction`. */
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

/** An open database and how to close it. */
export interface OpenDatabase {
  db: Database;
  kind: 'pglite' | 'postgres';
  /** Resolves, or throws an Error that says why the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
