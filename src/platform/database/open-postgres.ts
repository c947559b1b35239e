import { drizzle } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import type { OpenDatabase } from './database.js';

/** Connections a process holds at most. */
const POOL_SIZE = 10;

/** Opens a PostgreSQL server (15 or newer) by its URL. `onError` hears of idle connections that broke. */
export function openPostgres(url: string, onError: (error: Error) => void): OpenDatabase {
  const pool = new Pool({ connectionString: url, max: POOL_SIZE, application_name: 'audience-hub' });
  pool.on('error', onError);
  return {
    db: drizzle(pool, { casing: 'snake_case' }),
    kind: 'postgres',
    ping: async () => void (await pool.query('select 1')),
    close: () => pool.end(),
  };
}
