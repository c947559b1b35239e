import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import {
  audiences,
  audienceVersions,
  connections,
  exportsTable,
  imports,
  sources,
  type Database,
} from '../src/platform/database/index.js';
import { AudienceCleanUp } from '../src/features/audiences/index.js';
import { DATABASE, WAREHOUSE } from '../src/platform/nest/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { seedAudience, seedProfiles, seedWorkspace, type SeededWorkspace } from './support/seed.js';
import { seedConnection, seedSource } from './support/seed-work.js';
import { until } from './support/until.js';

interface AudienceBody {
  id: number;
  name: string;
  [field: string]: unknown;
}
interface PageBody {
  items: AudienceBody[];
  total: number;
}

let hub: TestHub;
let db: Database;
let warehouse: Warehouse;
let workspace: SeededWorkspace;
let viewerKey: string;
let foreignKey: string;

const seed = (given: Parameters<typeof seedAudience>[2]) => seedAudience({ db, warehouse }, workspace, given);
const names = (page: PageBody) => page.items.map((item) => item.name);

beforeAll(async () => {
  hub = await startTestHub();
  db = hub.hub.app.get<Database>(DATABASE);
  warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  workspace = await seedWorkspace(db);
  await seedProfiles(warehouse, workspace, [
    { mpid: '-5', identities: { email: ['ann@example.com'], customer_id: ['c-1'] } },
    { mpid: '6', identities: { phone: ['+12025550100'], first_last_zip_state: ['ann|lee|02139|MA'] } },
  ]);
  const keyOf = (role: string, workspaceId: string) =>
    hub.ok<{ key: string }>('POST', '/api-keys', { name: role, role, workspaceId });
  viewerKey = (await keyOf('viewer', workspace.id)).key;
  foreignKey = (await keyOf('admin', (await seedWorkspace(db)).id)).key;
});
afterAll(() => hub.stop());

async function ledgerRows(audienceId: number): Promise<number> {
  const [row] = await warehouse.query<{ n: string }>(
    `SELECT count() AS n FROM ledger WHERE audience_id = ${audienceId}`,
  );
  return Number(row?.n);
}

describe('the list of audiences', () => {
  it('shows the metrics of each', async () => {
    const id = await seed({
      name: 'Metrics',
      states: [
        ['1', '2', '3'],
        ['2', '3', '4', '5'],
      ],
    });
    await db
      .update(audienceVersions)
      .set({ publishedAt: new Date(Date.now() - 25 * 3_600_000) })
      .where(eq(audienceVersions.version, 1));
    await seedSource(db, workspace, id, 'metrics.csv', false);
    await seedConnection(db, workspace, id, 'Zeta');
    await seedConnection(db, workspace, id, 'Alpha');
    const page = await hub.ok<PageBody>('GET', '/audiences?search=Metrics');
    expect(page.items).toEqual([
      expect.objectContaining({
        id,
        status: 'ready',
        version: 2,
        size: 4,
        addsLast24h: 2,
        dropsLast24h: 1,
        volatility: 0.75,
        connectedOutputs: { count: 2, names: ['Alpha', 'Zeta'] },
        openFaults: 2,
        abTest: false,
        lastImport: { id: expect.any(String), state: 'published' },
      }),
    ]);
    expect(await hub.ok('GET', `/audiences/${id}`)).toEqual(page.items[0]);
  });

  it('is sorted, searched and filtered by all of the tags', async () => {
    await seed({ name: 'sort b 100%', tags: ['vip', 'spring'], states: [['1']] });
    await seed({ name: 'sort a', tags: ['vip'], states: [['1', '2']], kind: 'matched' });
    await seed({ name: 'sort c', externalName: 'Outside_Name', tags: ['spring'], states: [] });
    const list = (query: string) => hub.ok<PageBody>('GET', `/audiences?${query}`);
    expect(names(await list('search=sort'))).toEqual(['sort a', 'sort b 100%', 'sort c']);
    expect(names(await list('search=SORT&sort=-size'))).toEqual(['sort a', 'sort b 100%', 'sort c']);
    expect(names(await list('search=sort&sort=-created'))).toEqual(['sort c', 'sort a', 'sort b 100%']);
    expect(names(await list('search=sort&tags=vip,spring'))).toEqual(['sort b 100%']);
    expect(names(await list('search=sort&tags=vip&tags=spring'))).toEqual(['sort b 100%']);
    expect(names(await list('search=sort&kind=matched'))).toEqual(['sort a']);
    expect(names(await list('search=0%25'))).toEqual(['sort b 100%']);
    expect(names(await list('search=outside_'))).toEqual(['sort c']);
    expect(await list('search=sort&pageSize=1&page=2')).toMatchObject({
      total: 3,
      items: [{ name: 'sort b 100%' }],
    });
    expect((await hub.api('GET', '/audiences?sort=colour')).status).toBe(400);
  });

  it('holds the own workspace only', async () => {
    const id = await seed({ name: 'Mine', states: [['1']] });
    expect((await hub.ok<PageBody>('GET', '/audiences', undefined, foreignKey)).total).toBe(0);
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', '?confirm=true'],
      ['POST', '/duplicate'],
      ['GET', '/members'],
      ['GET', '/versions'],
      ['GET', '/timeline?mpid=1'],
    ] as const) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      expect([path, (await hub.api(method, `/audiences/${id}${path}`, body, foreignKey)).status]).toEqual([
        path,
        404,
      ]);
    }
  });
});

describe('changing an audience', () => {
  it('renames it and replaces its tags', async () => {
    const id = await seed({ name: 'Old', states: [] });
    const change = { name: ' New ', externalName: 'For partners', tags: [' vip ', 'vip', 'x'.repeat(18)] };
    const changed = await hub.ok('PATCH', `/audiences/${id}`, change);
    expect(changed).toMatchObject({
      name: 'New',
      externalName: 'For partners',
      tags: ['vip', 'x'.repeat(18)],
      status: 'new',
    });
    expect(await hub.ok('PATCH', `/audiences/${id}`, { externalName: null })).toMatchObject({
      name: 'New',
      externalName: null,
    });
    for (const tags of [['x'.repeat(19)], [' '], ['a,b']]) {
      expect((await hub.api('PATCH', `/audiences/${id}`, { tags })).status).toBe(400);
    }
    expect((await hub.api('PATCH', `/audiences/${id}`, { name: ' ' })).status).toBe(400);
    expect((await hub.api('PATCH', `/audiences/${id}`, { name: 'x' }, viewerKey)).status).toBe(403);
  });

  it('duplicates it with its members and tags, once', async () => {
    const id = await seed({
      name: 'Original',
      tags: ['vip'],
      states: [
        ['1', '2'],
        ['2', '-5'],
      ],
    });
    const copy = await hub.ok<AudienceBody>('POST', `/audiences/${id}/duplicate`, {});
    expect(copy).toMatchObject({
      name: 'Original (copy)',
      kind: 'copied',
      tags: ['vip'],
      version: 1,
      size: 2,
    });
    const members = await hub.ok<{ items: { mpid: string }[] }>('GET', `/audiences/${copy.id}/members`);
    expect(members.items.map((member) => member.mpid)).toEqual(['-5', '2']);
    const versions = await hub.ok<PageBody>('GET', `/audiences/${copy.id}/versions`);
    expect(versions.items).toEqual([
      expect.objectContaining({ version: 1, added: 2, removed: 0, import: null }),
    ]);
    const empty = await seed({ states: [] });
    expect((await hub.api('POST', `/audiences/${empty}/duplicate`, {})).status).toBe(409);
  });

  it('leaves nothing of a copy whose process died', async () => {
    const died = await seed({
      kind: 'copied',
      states: [['1']],
      deletedAt: new Date(Date.now() - 86_400_000),
    });
    expect((await hub.api('GET', `/audiences/${died}`)).status).toBe(404);
    await hub.hub.app.get(AudienceCleanUp, { strict: false }).sweep();
    await until('the copy is gone', async () => (await db.$count(audiences, eq(audiences.id, died))) === 0);
    expect(await ledgerRows(died)).toBe(0);
  });
});

describe('deleting an audience', () => {
  it('first says what goes with it, then ends and removes all of it', async () => {
    const id = await seed({ name: 'Doomed', states: [['1', '2']] });
    const connectionId = await seedConnection(db, workspace, id, 'Partner');
    const inputId = await seedSource(db, workspace, id, 'doomed.csv', true);
    const [open] = await db
      .insert(exportsTable)
      .values({ workspaceId: workspace.id, audienceIds: [id], identityTypes: ['email'] })
      .returning();
    const exportId = open?.id ?? '';
    const listed = {
      connections: [
        {
          id: connectionId,
          output: 'Partner',
          status: 'faulted',
          removal: expect.objectContaining({ members: 'none', stays: [], outcome: null }),
        },
      ],
      exports: [{ id: exportId, state: 'queued' }],
      barredKeys: ['doomed.csv'],
    };
    expect(await hub.ok('DELETE', `/audiences/${id}?dryRun=true`)).toEqual(listed);
    const refused = await hub.api('DELETE', `/audiences/${id}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'IN_USE' } });
    expect(refused.body.errors).toEqual([
      { field: 'connections', message: 'Partner (faulted)' },
      { field: 'exports', message: `${exportId} (queued)` },
      { field: 'barredKeys', message: 'doomed.csv' },
    ]);
    expect((await hub.api('GET', `/audiences/${id}`)).status).toBe(200);

    expect((await hub.api('DELETE', `/audiences/${id}?confirm=true`)).status).toBe(200);
    expect((await hub.api('GET', `/audiences/${id}`)).status).toBe(404);
    expect(await hub.ok('GET', `/exports/${exportId}`)).toMatchObject({
      state: 'failed',
      error: { code: 'AUDIENCE_DELETED' },
    });
    await until('the rows are gone', async () => (await db.$count(audiences, eq(audiences.id, id))) === 0);
    expect(await ledgerRows(id)).toBe(0);
    expect(await db.$count(connections, eq(connections.id, connectionId))).toBe(0);

    const tombstones = await hub.ok<{ items: { key: string }[] }>('GET', `/inputs/${inputId}/tombstones`);
    expect(tombstones.items.map((item) => item.key)).toEqual(['doomed.csv']);
    const lift = (key: string) => hub.api('POST', `/inputs/${inputId}/tombstones/lift`, { key });
    expect((await lift('other.csv')).status).toBe(404);
    expect((await lift('doomed.csv')).status).toBe(204);
    const [source] = await db.select().from(sources).where(eq(sources.inputId, inputId));
    expect(source).toMatchObject({ tombstonedAt: null, audienceId: null, revision: '' });
    expect((await hub.api('GET', `/inputs/${inputId}/tombstones`, undefined, foreignKey)).status).toBe(404);
  });

  it('needs no second call where nothing goes with it, and does not bar keys whose layout allows them', async () => {
    const id = await seed({ name: 'Alone', states: [['1']] });
    const inputId = await seedSource(db, workspace, id, 'alone.csv', false);
    const waiting = {
      workspaceId: workspace.id,
      audienceId: id,
      audienceName: 'alone',
      sourceKey: 'alone.csv',
    };
    const [queued] = await db
      .insert(imports)
      .values({ ...waiting, revision: 'r2', source: {} })
      .returning();
    expect((await hub.api('DELETE', `/audiences/${id}`)).status).toBe(200);
    const [source] = await db.select().from(sources).where(eq(sources.inputId, inputId));
    expect(source).toMatchObject({ tombstonedAt: null, audienceId: null });
    const [ended] = await db
      .select()
      .from(imports)
      .where(eq(imports.id, queued?.id ?? ''));
    expect(ended).toMatchObject({ state: 'discarded', error: { code: 'AUDIENCE_DELETED' } });
  });
});
