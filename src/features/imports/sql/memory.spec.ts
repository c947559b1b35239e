import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTables, openChdb, type Warehouse } from '../../../platform/warehouse/index.js';
import { Ledger } from '../../ledger/index.js';
import { importInto } from './testing/import-into.js';

/** Less than a hub may be given. What is loaded, sorted and written takes most of it, however few the rows. */
const MEMORY_BYTES = 256 * 2 ** 20;
/** So many of three identities each took twice as much when whose they are was found out with tables of hashes. */
const ROWS = 400_000;
const HEADER = ['customer_id', 'email', 'npi'];

let folder: string;
let warehouse: Warehouse;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-memory-'));
  warehouse = await openChdb({
    directory: join(folder, 'warehouse'),
    memoryBytes: MEMORY_BYTES,
    threads: 2,
  });
  await createTables(warehouse);
});

afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

const rowOf = (index: number, email: string): string[] => [`customer-${index}`, email, ''];

describe('a file of people with several identities', () => {
  it('is resolved within a memory that does not grow with it, whoever is new or known and whatever they share', async () => {
    const bench = { warehouse, ledger: new Ledger(warehouse), folder };
    const household = (index: number) => `household-${Math.floor(index / 2)}@example.com`;
    const first = Array.from({ length: ROWS }, (_, index) => rowOf(index, household(index)));
    const made = await importInto(bench, {
      workspace: 1,
      audience: { id: 1, version: 0 },
      header: HEADER,
      rows: first,
    });
    expect(made).toMatchObject({ resolved: { created: ROWS, createdProfiles: ROWS } });

    // Half of them come again with another address, and as many who are new share an address with one of them.
    const half = ROWS / 2;
    const second = Array.from({ length: ROWS }, (_, index) =>
      index < half
        ? rowOf(index, `moved-${index}@example.com`)
        : rowOf(index + half, household(index - half)),
    );
    const again = await importInto(bench, {
      workspace: 1,
      audience: { id: 1, version: 1 },
      header: HEADER,
      rows: second,
    });
    expect(again).toMatchObject({ resolved: { matched: half, created: half, createdProfiles: half } });
  }, 120_000);
});
