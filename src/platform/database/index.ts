export type { Database, OpenDatabase, Transaction } from './database.js';
export { migrate, rowsOf } from './migrate.js';
export { openPglite } from './open-pglite.js';
export { openPostgres } from './open-postgres.js';
export * from './schema/index.js';
export { isUniqueViolation, sqlStateOf } from './violation.js';
