import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { temporaryPglite, type TemporaryDatabase } from '../../../../test/support/databases.js';
import { seedProfiles, seedWorkspace, type SeededWorkspace } from '../../../../test/support/seed.js';
import { temporaryWarehouse } from '../../../../test/support/warehouse.js';
import { workspaces } from '../../../platform/database/index.js';
import { silentLogger } from '../../../platform/log/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import type { ScheduledWork, ScheduleService } from '../../schedule/index.js';
import { ProfileErasure } from './profile-erasure.js';

let database: TemporaryDatabase;
let warehouse: Warehouse;
let closeWarehouse: () => Promise<void>;
let kept: SeededWorkspace;
let deleted: SeededWorkspace;

beforeAll(async () => {
  database = await temporaryPglite();
  ({ warehouse, close: closeWarehouse } = await temporaryWarehouse());
});
afterAll(async () => {
  await closeWarehouse();
  await database.close();
});

beforeEach(async () => {
  for (const table of ['attributes', 'identities', 'profiles'])
    await warehouse.command(`TRUNCATE TABLE ${table}`);
  kept = await seedWorkspace(database.db);
  deleted = await seedWorkspace(database.db);
  for (const workspace of [kept, deleted]) {
    await seedProfiles(warehouse, workspace, [
      { mpid: '-5', identities: { email: ['ann@example.com'], customer_id: ['c-1'] } },
    ]);
    await warehouse.command(
      `INSERT INTO attributes VALUES (${workspace.number}, -5, 'party', 'Party', 'Green', 1)`,
    );
  }
});

/** The erasure of a process, and what it asked the schedule to run. */
function erasureOn(engine: Warehouse = warehouse) {
  const scheduled: ScheduledWork[] = [];
  const schedule = { register: (_name: string, _everyMs: number, run: ScheduledWork) => scheduled.push(run) };
  const erasure = new ProfileErasure(
    database.db,
    engine,
    schedule as unknown as ScheduleService,
    silentLogger(),
  );
  return { erasure, scheduled };
}

const deleteWorkspace = ({ id }: SeededWorkspace) =>
  database.db.delete(workspaces).where(eq(workspaces.id, id));

/** Rows of a workspace: [attributes, identities, profiles]. */
async function rowsOfWorkspace(number: number): Promise<number[]> {
  const counts = ['attributes', 'identities', 'profiles'].map(async (table) => {
    const [row] = await warehouse.query<{ n: string }>(
      `SELECT count() AS n FROM ${table} WHERE workspace = ${number}`,
    );
    return Number(row?.n);
  });
  return Promise.all(counts);
}

describe('the erasure of profiles', () => {
  it('leaves the people of present workspaces alone', async () => {
    await erasureOn().erasure.sweep();
    expect(await rowsOfWorkspace(deleted.number)).toEqual([1, 2, 2]);
  });

  it('erases the people of a deleted workspace, and nobody else', async () => {
    await deleteWorkspace(deleted);
    const { erasure, scheduled } = erasureOn();
    erasure.onModuleInit();
    for (const run of scheduled) await run(new AbortController().signal);
    expect(scheduled).toHaveLength(1);
    expect(await rowsOfWorkspace(deleted.number)).toEqual([0, 0, 0]);
    expect(await rowsOfWorkspace(kept.number)).toEqual([1, 2, 2]);
  });

  it('goes on where it was cut short between the tables', async () => {
    await deleteWorkspace(deleted);
    let commands = 0;
    const dying: Warehouse = {
      ...warehouse,
      command: (statement, options) => {
        commands += 1;
        return commands > 1
          ? Promise.reject(new Error('the process died'))
          : warehouse.command(statement, options);
      },
    };
    await expect(erasureOn(dying).erasure.sweep()).rejects.toThrow('the process died');
    expect(await rowsOfWorkspace(deleted.number)).toEqual([0, 2, 2]);
    await erasureOn().erasure.sweep();
    expect(await rowsOfWorkspace(deleted.number)).toEqual([0, 0, 0]);
  });

  it('keeps what an emptied database knows nothing of', async () => {
    const unknown = { ...deleted, number: 1_000_000 };
    await seedProfiles(warehouse, unknown, [{ mpid: '7', identities: { customer_id: ['c-7'] } }]);
    await erasureOn().erasure.sweep();
    expect(await rowsOfWorkspace(unknown.number)).toEqual([0, 1, 1]);
  });
});
