import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createTables,
  openChdb,
  openClickHouse,
  type Warehouse,
} from '../../src/platform/warehouse/index.js';
import { startClickHouse, type ClickHouseServer } from './clickhouse-server/start.js';

/** A chDB warehouse with its tables in a temporary folder. One a process: make one a spec file. */
export async function temporaryWarehouse(): Promise<{ warehouse: Warehouse; close: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'hub-warehouse-'));
  const warehouse = await openChdb({ directory, memoryBytes: 2 ** 30, threads: 2 });
  await createTables(warehouse);
  return {
    warehouse,
    async close() {
      await warehouse.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A warehouse on the ClickHouse test server, with its tables. Any number a process. */
export async function temporaryClickHouse(): Promise<{
  warehouse: Warehouse;
  server: ClickHouseServer;
  close: () => Promise<void>;
}> {
  const server = await startClickHouse();
  const warehouse = openClickHouse(server.url);
  await createTables(warehouse);
  return {
    warehouse,
    server,
    async close() {
      await warehouse.close();
      await server.stop();
    },
  };
}
