import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { ImportsWorker } from '../src/features/imports/imports.worker.js';
import { importsWithWorkTables } from '../src/features/imports/sql/tables.js';
import { imports, sources, type Database } from '../src/platform/database/index.js';
import { DATABASE, WAREHOUSE, WORK_QUEUE } from '../src/platform/nest/index.js';
import type { WorkQueue } from '../src/platform/queue/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { until } from './support/until.js';

let hub: TestHub;
let db: Database;
let warehouse: Warehouse;
let dropRoot: string;
let inputId: string;
let workspaceId: string;

beforeAll(async () => {
  dropRoot = await mkdtemp(join(tmpdir(), 'hub-turns-'));
  hub = await startTestHub({ HUB_SWEEP_MS: '3600000' });
  db = hub.hub.app.get<Database>(DATABASE);
  warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  const { id: organizationId } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Turns' });
  const workspace = await hub.ok<{ id: string }>('POST', '/workspaces', {
    organizationId,
    name: 'W',
    seatId: '9',
  });
  workspaceId = workspace.id;
  const input = await hub.ok<{ id: string }>('POST', '/inputs', {
    workspaceId,
    plugin: 'folder-drop',
    name: 'drop',
    settings: { path: dropRoot, layout: 'iqm' },
  });
  inputId = input.id;
});
afterAll(async () => {
  await hub.stop();
  await rm(dropRoot, { recursive: true, force: true });
});

/** Puts people 0 … count - 1 where the input finds them, and scans. Returns the queued import. */
async function drop(name: string, count: number): Promise<string> {
  const path = join(dropRoot, `onboarding/seat_id=9/files/${name}.csv`);
  await mkdir(join(path, '..'), { recursive: true });
  const rows = Array.from({ length: count }, (_, n) => `person${n}@example.com`);
  await writeFile(path, `Email\n${rows.join('\n')}\n`);
  // Old enough to count as whole at once.
  const past = new Date(Date.now() - 60_000);
  await utimes(path, past, past);
  const scan = await hub.ok<{ queued: string[] }>('POST', `/inputs/${inputId}/scan`);
  const [id] = scan.queued;
  if (id === undefined) throw new Error('The scan queued nothing.');
  return id;
}

async function rowOf(id: string) {
  const [row] = await db.select().from(imports).where(eq(imports.id, id));
  if (row === undefined) throw new Error(`There is no import ${id}.`);
  return row;
}

const reaches = (id: string, state: string) =>
  until(
    `the import is ${state}`,
    async () => {
      const row = await rowOf(id);
      if (row.state === 'failed' && state !== 'failed') throw new Error(JSON.stringify(row.error));
      return row.state === state ? row : undefined;
    },
    60_000,
  );

const spoolOf = (id: string) => join(hub.dataDir, 'spool', 'imports', id);
const sweep = () => hub.hub.app.get(ImportsWorker).sweep();

/** An import that is held: it takes most members of the audience away. */
async function heldImport(name: string): Promise<string> {
  await reaches(await drop(name, 300), 'published');
  const id = await drop(name, 3);
  await reaches(id, 'held');
  return id;
}

/** Source and revision as a scan notes them, and imports of it. */
async function seedImports(
  key: string,
  ...states: Pick<typeof imports.$inferInsert, 'state' | 'notBefore' | 'leaseUntil'>[]
) {
  const [source] = await db.insert(sources).values({ inputId, key, revision: '1' }).returning();
  const base = { workspaceId, sourceId: source?.id, sourceKey: key, revision: '1', audienceName: key };
  const rows = await db
    .insert(imports)
    .values(states.map((state) => ({ ...base, source: {}, ...state })))
    .returning({ id: imports.id });
  return rows.map((row) => row.id);
}

const hint = (id: string | undefined) =>
  hub.hub.app.get<WorkQueue>(WORK_QUEUE).enqueue({ kind: 'import', id: id ?? '' });

describe('imports of one source', () => {
  it('does not let a newer one wait for an older one that went back to the queue', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000);
    const [older = '', newer = ''] = await seedImports(
      'far.csv',
      { state: 'queued', notBefore: tomorrow },
      { state: 'queued' },
    );
    await hint(newer);
    // It had its turn: there is no input to read it from.
    expect((await reaches(newer, 'failed')).error).toMatchObject({ code: 'INPUT_DELETED' });
    expect(await rowOf(older)).toMatchObject({ state: 'discarded', error: { code: 'SUPERSEDED' } });
  });

  it('lets a newer one wait for an older one that runs, without using up its attempts', async () => {
    const later = new Date(Date.now() + 3_600_000);
    const [older = '', newer = ''] = await seedImports(
      'turn.csv',
      { state: 'running', leaseUntil: later },
      { state: 'queued' },
    );
    await hint(newer);
    const first = await until('it was put back', async () => (await rowOf(newer)).notBefore ?? undefined);
    await until('it asked again by itself', async () => {
      const { notBefore } = await rowOf(newer);
      return notBefore !== null && notBefore > first;
    });
    expect(
      (
        await until('it waits', async () => {
          const row = await rowOf(newer);
          return row.state === 'queued' ? row : undefined;
        })
      ).attempts,
    ).toBe(0);
    await db.update(imports).set({ state: 'discarded', leaseUntil: null }).where(eq(imports.id, older));
    expect((await reaches(newer, 'failed')).attempts).toBe(1);
  });
});

describe('what a held import keeps', () => {
  it('is there until a newer file supersedes it, and is swept then', async () => {
    const id = await heldImport('Superseded');
    await sweep();
    expect(existsSync(spoolOf(id))).toBe(true);
    expect(await importsWithWorkTables(warehouse)).toContain(id);
    await reaches(await drop('Superseded', 299), 'published');
    expect(await rowOf(id)).toMatchObject({ state: 'discarded', error: { code: 'SUPERSEDED' } });
    await sweep();
    expect(existsSync(spoolOf(id))).toBe(false);
    expect(await importsWithWorkTables(warehouse)).toEqual([]);
  });

  it('is swept after it was discarded by hand', async () => {
    const id = await heldImport('Discarded');
    await hub.ok('POST', `/imports/${id}/discard`);
    expect(await importsWithWorkTables(warehouse)).toEqual([]);
    await sweep();
    expect(existsSync(spoolOf(id))).toBe(false);
  });

  it('is swept where a process died after it had dropped the tables', async () => {
    const [id = ''] = await seedImports('died.csv', { state: 'failed' });
    await mkdir(spoolOf(id), { recursive: true });
    await writeFile(join(spoolOf(id), 'source'), 'left behind');
    await sweep();
    expect(existsSync(spoolOf(id))).toBe(false);
  });
});
