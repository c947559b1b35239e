import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { temporaryPglite, type TemporaryDatabase } from '../../../../test/support/databases.js';
import { seedWorkspace } from '../../../../test/support/seed.js';
import { until } from '../../../../test/support/until.js';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { mapColumns } from '../../../domain/identities/index.js';
import { SystemClock } from '../../../platform/clock/index.js';
import { audiences, leases, workspaces } from '../../../platform/database/index.js';
import { LeaseLostError, Leases } from '../../../platform/lease/index.js';
import type { QueryOptions, Warehouse } from '../../../platform/warehouse/index.js';
import { Ledger } from '../../ledger/index.js';
import { stageFile } from '../sql/stage.js';
import { workTables } from '../sql/tables.js';
import { BulkSteps } from './bulk-steps.js';
import type { ImportWork } from './import-work.js';

const LEASE_MS = 300;

let database: TemporaryDatabase;
let warehouse: Warehouse;
let close: () => Promise<void>;
let folder: string;

beforeAll(async () => {
  database = await temporaryPglite();
  ({ warehouse, close } = await temporaryWarehouse());
  folder = await mkdtemp(join(tmpdir(), 'hub-bulk-steps-'));
});
afterAll(async () => {
  await close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** A staged import of one person with an e-mail and a phone, as far as resolving looks at it. */
async function stagedWork(): Promise<ImportWork> {
  const { id } = await seedWorkspace(database.db);
  const [workspace] = await database.db.select().from(workspaces).where(eq(workspaces.id, id));
  const mapped = mapColumns(['Email', 'Phone']);
  if (workspace === undefined || 'problems' in mapped) throw new Error('The scene was not set.');
  const { mapping } = mapped;
  const row = { id: randomUUID() };
  const path = join(folder, row.id);
  await writeFile(path, 'ann@example.com\t+12025550101\n');
  const file = { path, format: 'TabSeparated', structure: 'c1 String, c2 String' } as const;
  await stageFile(warehouse, workTables(row.id), file, { mapping, options: {}, hashForms: [] });
  const progress = { report: { mapping }, hashForms: [] };
  const source = { onUnknown: 'create' };
  const { signal } = new AbortController();
  return { row, workspace, progress, source, signal } as unknown as ImportWork;
}

/** Whose process sleeps before it sets down what it decided, while another one takes its lease over. */
function sleepyWarehouse(): Warehouse {
  return {
    ...warehouse,
    async command(statement: string, options?: QueryOptions) {
      await warehouse.command(statement, options);
      if (!statement.includes('half_decision')) return;
      const begun = Date.now();
      await database.db.update(leases).set({ owner: randomUUID(), until: new Date(begun + 3_600_000) });
      await until('it was to be renewed', () => Date.now() - begun > LEASE_MS);
    },
  };
}

it('registers nothing any more where the identity lease is lost while it resolves', async () => {
  const work = await stagedWork();
  const held = new Leases(database.db, LEASE_MS);
  const steps = new BulkSteps(database.db, sleepyWarehouse(), new Ledger(warehouse), held, new SystemClock());
  await expect(steps.resolve(work, async () => undefined)).rejects.toThrow(LeaseLostError);
  const known = await warehouse.query(
    `SELECT value FROM identities WHERE workspace = ${work.workspace.number}
     UNION ALL SELECT value FROM profiles WHERE workspace = ${work.workspace.number}`,
  );
  expect(known).toEqual([]);
});

it('undoes nothing in an audience once its turn was lost, or another import’s version would be gone', async () => {
  const { id: workspaceId } = await seedWorkspace(database.db);
  const [audience] = await database.db
    .insert(audiences)
    .values({ workspaceId, name: 'A', kind: 'imported', version: 1, size: 1 })
    .returning();
  const audienceId = audience?.id ?? 0;
  const publish = (version: number, mpid: number) =>
    warehouse.command(`INSERT INTO ledger VALUES (${audienceId}, ${mpid}, ${version}, 1, now64(3))`);
  await publish(1, 1);
  let nowMs = 0;
  /** Sleeps as soon as it is asked what is above version 1; another process publishes version 2 meanwhile. */
  const sleepy: Warehouse = {
    ...warehouse,
    async query<Row>(statement: string, options?: QueryOptions) {
      if (statement.includes(`audience_id = ${audienceId} AND version > 1`)) {
        await database.db
          .update(leases)
          .set({ owner: randomUUID(), until: new Date(Date.now() + 3_600_000) });
        await publish(2, 2);
        nowMs += 60_000;
      }
      return warehouse.query<Row>(statement, options);
    },
  };
  const held = new Leases(database.db, 60_000, () => nowMs);
  const steps = new BulkSteps(database.db, sleepy, new Ledger(sleepy), held, new SystemClock());
  const { signal } = new AbortController();
  const work = {
    row: { id: randomUUID(), added: 1, removed: 0, baseVersion: 1 },
    workspace: { number: 1 },
    audience,
    progress: { delta: { check: '0' }, members: {}, report: { mapping: { identities: [] } } },
    signal,
  } as unknown as ImportWork;
  await expect(steps.commit(work)).rejects.toThrow(LeaseLostError);
  const rows = await warehouse.query(
    `SELECT toString(mpid) AS mpid, version FROM ledger WHERE audience_id = ${audienceId} ORDER BY version`,
  );
  expect(rows).toEqual([
    { mpid: '1', version: 1 },
    { mpid: '2', version: 2 },
  ]);
});
