import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Database } from '../src/platform/database/index.js';
import { DATABASE } from '../src/platform/nest/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { importOfPush, L2_BEARER, makeL2Account, postUniverse } from './support/l2.js';
import { seedConnection } from './support/seed-work.js';
import { seedWorkspace } from './support/seed.js';

interface AudienceBody {
  id: number;
  name: string;
  kind: string;
}
interface BulkBody {
  deleted: number[];
  failed: { id: number; code: string; message: string }[];
}

let hub: TestHub;
let workspaceId: string;
let ownKey: string;
let viewerKey: string;
let otherKey: string;

beforeAll(async () => {
  hub = await startTestHub();
  workspaceId = await makeL2Account(hub, '123456');
  const keyOf = async (workspace: string, role: string) =>
    (await hub.ok<{ key: string }>('POST', '/api-keys', { workspaceId: workspace, name: role, role })).key;
  ownKey = await keyOf(workspaceId, 'editor');
  viewerKey = await keyOf(workspaceId, 'viewer');
  otherKey = await keyOf((await seedWorkspace(hub.hub.app.get<Database>(DATABASE))).id, 'admin');
});

afterAll(() => hub.stop());

/** Sends a universe of so many people and returns the id of its audience. */
async function segmented(name: string, people: number): Promise<number> {
  const rows = Array.from({ length: people }, (_, index) => ({ LALVOTERID: `LALCA${index + 1}` }));
  const body = JSON.stringify({ name: `IQM_123456_${name}`, rows });
  const done = await importOfPush(hub, await postUniverse(hub.url, 'application/json', body, L2_BEARER));
  expect(done).toMatchObject({ state: 'published', added: people });
  return done.audienceId;
}

async function namesOf(query: string): Promise<string[]> {
  const page = await hub.ok<{ items: AudienceBody[] }>(
    'GET',
    `/audiences?kind=segmented&${query}`,
    undefined,
    ownKey,
  );
  return page.items.map(({ name }) => name);
}

const bulkDelete = (body: object, key = ownKey) =>
  hub.api<BulkBody>('POST', '/audiences/bulk-delete', body, key);
const statusOf = async (id: number) => (await hub.api('GET', `/audiences/${id}`)).status;

describe('a segmented audience', () => {
  it('is listed by name and by the time it was made, and found by a part of its name', async () => {
    await segmented('List_b', 1);
    await segmented('List_a', 1);
    await segmented('List_c', 1);
    expect(await namesOf('search=list_')).toEqual(['List_a', 'List_b', 'List_c']);
    expect(await namesOf('search=list_&sort=-name')).toEqual(['List_c', 'List_b', 'List_a']);
    expect(await namesOf('search=list_&sort=created')).toEqual(['List_b', 'List_a', 'List_c']);
    expect(await namesOf('search=list_&sort=-created')).toEqual(['List_c', 'List_a', 'List_b']);
    expect(await namesOf('search=st_C')).toEqual(['List_c']);
  });

  it('shows its details, and keeps what people changed when its universe comes again', async () => {
    const id = await segmented('Details', 2);
    const path = `/audiences/${id}`;
    expect(await hub.ok('GET', path, undefined, ownKey)).toMatchObject({
      id,
      workspaceId,
      name: 'Details',
      kind: 'segmented',
      size: 2,
      version: 1,
      status: 'ready',
      lastImport: { state: 'published' },
    });
    await hub.ok('PATCH', path, { name: 'Renamed', tags: ['vip'] }, ownKey);
    const rows = [1, 2, 3].map((n) => ({ LALVOTERID: `LALCA${n}` }));
    const body = JSON.stringify({ name: 'IQM_123456_Details', rows });
    const again = await importOfPush(hub, await postUniverse(hub.url, 'application/json', body, L2_BEARER));
    expect(again).toMatchObject({ state: 'published', audienceId: id, added: 1 });
    const now = { name: 'Renamed', tags: ['vip'], kind: 'segmented', size: 3, version: 2 };
    expect(await hub.ok('GET', path, undefined, ownKey)).toMatchObject(now);
  });

  it('has copies that are segmented too, and stand by themselves', async () => {
    const id = await segmented('Copied', 2);
    const copy = await hub.ok<AudienceBody>('POST', `/audiences/${id}/duplicate`, { name: 'A copy' }, ownKey);
    expect(copy).toMatchObject({ name: 'A copy', kind: 'segmented', size: 2, version: 1 });
    expect(await namesOf('search=a+copy')).toEqual(['A copy']);
    expect((await hub.api('DELETE', `/audiences/${id}`, undefined, ownKey)).status).toBe(200);
    expect(await hub.ok('GET', `/audiences/${copy.id}`, undefined, ownKey)).toMatchObject({ size: 2 });
  });

  it('is made anew by its universe after it was deleted', async () => {
    const id = await segmented('Again', 1);
    expect(await bulkDelete({ ids: [id] })).toMatchObject({
      status: 200,
      body: { deleted: [id], failed: [] },
    });
    const next = await segmented('Again', 1);
    expect(next).not.toBe(id);
    expect([await statusOf(id), await statusOf(next)]).toEqual([404, 200]);
  });
});

describe('deleting several audiences', () => {
  it('deletes those it can, and says why the others stay', async () => {
    const [first, connected, last] = [
      await segmented('Bulk_1', 1),
      await segmented('Bulk_2', 1),
      await segmented('Bulk_3', 1),
    ];
    await seedConnection(hub.hub.app.get<Database>(DATABASE), { id: workspaceId }, connected, 'Partner');
    const missing = 987_654_321;
    const { status, body } = await bulkDelete({ ids: [first, connected, missing, last] });
    expect(status).toBe(200);
    expect(body.deleted).toEqual([first, last]);
    expect(body.failed).toEqual([
      { id: connected, code: 'IN_USE', message: expect.stringContaining('confirm') },
      { id: missing, code: 'NOT_FOUND', message: expect.stringContaining(String(missing)) },
    ]);
    expect([await statusOf(first), await statusOf(connected), await statusOf(last)]).toEqual([404, 200, 404]);
    expect((await bulkDelete({ ids: [first, connected], confirm: true })).body).toEqual({
      deleted: [connected],
      connections: [expect.objectContaining({ status: 'removed' })],
      failed: [{ id: first, code: 'NOT_FOUND', message: expect.any(String) }],
    });
  });

  it('reaches no audience of another workspace', async () => {
    const id = await segmented('Foreign', 1);
    const { body } = await bulkDelete({ ids: [id], confirm: true }, otherKey);
    expect(body).toEqual({
      deleted: [],
      connections: [],
      failed: [{ id, code: 'NOT_FOUND', message: expect.any(String) }],
    });
    expect(await statusOf(id)).toBe(200);
    expect((await bulkDelete({ ids: [id] }, viewerKey)).status).toBe(403);
    expect(await statusOf(id)).toBe(200);
  });

  it.each([
    ['none', []],
    ['one twice', [1, 1]],
    ['what is no number', ['1']],
    ['what no audience can be', [0]],
    ['more than a database counts', [1e300]],
    ['more than 500', Array.from({ length: 501 }, (_, index) => index + 1)],
  ])('is refused as a whole where the list names %s', async (_, ids) => {
    expect(await bulkDelete({ ids })).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
  });
});
