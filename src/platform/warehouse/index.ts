export { openChdb, type ChdbOptions } from './open-chdb.js';
export { openClickHouse } from './open-clickhouse.js';
export { stoppable } from './stoppable.js';
export { createTables } from './tables.js';
export * from './warehouse.js';
