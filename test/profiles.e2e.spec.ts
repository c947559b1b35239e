import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { audienceVersions, imports, workspaces, type Database } from '../src/platform/database/index.js';
import { DATABASE, WAREHOUSE } from '../src/platform/nest/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { seedAudience, seedProfiles, seedWorkspace, type SeededWorkspace } from './support/seed.js';

let hub: TestHub;
let workspace: SeededWorkspace;
let audienceId: number;
let secondId: number;
let importId: string;
let viewerKey: string;
let foreignKey: string;

beforeAll(async () => {
  hub = await startTestHub();
  const db = hub.hub.app.get<Database>(DATABASE);
  const warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  workspace = await seedWorkspace(db);
  await db
    .update(workspaces)
    .set({ settings: { defaultPhoneRegion: 'US' } })
    .where(eq(workspaces.id, workspace.id));
  await seedProfiles(warehouse, workspace, [
    { mpid: '-5', identities: { email: ['ann@example.com'], customer_id: ['c-1', 'c-2'] } },
    { mpid: '6', identities: { phone: ['+12025550100'], first_last_zip_state: ['ann|lee|02139|MA'] } },
  ]);
  const at = { db, warehouse };
  audienceId = await seedAudience(at, workspace, {
    name: 'One',
    states: [
      ['-5', '6'],
      ['6', '7'],
      ['-5', '6'],
    ],
  });
  secondId = await seedAudience(at, workspace, { name: 'Two', states: [['6']] });
  const [made] = await db
    .insert(imports)
    .values({
      workspaceId: workspace.id,
      sourceKey: 'drop/one.csv',
      revision: 'r1',
      audienceId,
      audienceName: 'One',
      source: {},
      state: 'published',
    })
    .returning();
  importId = made?.id ?? '';
  await db.update(audienceVersions).set({ importId }).where(eq(audienceVersions.version, 2));
  const keyOf = (role: string, workspaceId: string) =>
    hub.ok<{ key: string }>('POST', '/api-keys', { name: role, role, workspaceId });
  viewerKey = (await keyOf('viewer', workspace.id)).key;
  foreignKey = (await keyOf('admin', (await seedWorkspace(db)).id)).key;
});
afterAll(() => hub.stop());

describe('the members of an audience', () => {
  it('come page after page, with the identity types asked for', async () => {
    const read = (query: string) => hub.ok('GET', `/audiences/${audienceId}/members?${query}`);
    const first = await read('pageSize=1&identityTypes=email,customer_id');
    expect(first).toEqual({
      items: [{ mpid: '-5', identities: { email: ['ann@example.com'], customer_id: ['c-1', 'c-2'] } }],
      next: '-5',
      total: 2,
      page: 1,
      pageSize: 1,
      version: 3,
    });
    expect(await read('pageSize=5&page=2&after=-5&identityTypes=email')).toMatchObject({
      items: [{ mpid: '6', identities: {} }],
      next: null,
      page: 2,
    });
    expect((await hub.api('GET', `/audiences/${audienceId}/members?page=2`)).status).toBe(400);
    expect((await hub.api('GET', `/audiences/${audienceId}/members?after=x`)).status).toBe(400);
    expect((await hub.api('GET', `/audiences/${audienceId}/members?identityTypes=shoe_size`)).status).toBe(
      400,
    );
  });

  it('are masked for viewers', async () => {
    const page = await hub.ok('GET', `/audiences/${audienceId}/members?pageSize=1`, undefined, viewerKey);
    expect(JSON.stringify(page)).toContain('a***@e***.com');
    expect(JSON.stringify(page)).not.toContain('ann@example.com');
  });
});

describe('the timeline of a profile', () => {
  const changes = [
    { version: 1, change: 'add', at: expect.any(String), import: null },
    {
      version: 2,
      change: 'remove',
      at: expect.any(String),
      import: { id: expect.any(String), sourceKey: 'drop/one.csv' },
    },
    { version: 3, change: 'add', at: expect.any(String), import: null },
  ];

  it('says when it came and went, by which import, and whether it is in now', async () => {
    const expected = { audienceId, mpid: '-5', member: true, version: 3, changes };
    expect(await hub.ok('GET', `/audiences/${audienceId}/timeline?mpid=-5`)).toEqual(expected);
    const byEmail = new URLSearchParams({ identityType: 'email', identityValue: ' Ann@Example.com ' });
    expect(await hub.ok('GET', `/audiences/${audienceId}/timeline?${byEmail.toString()}`)).toEqual(expected);
    expect(await hub.ok('GET', `/audiences/${audienceId}/timeline?mpid=7`)).toMatchObject({ member: false });
    expect(await hub.ok('GET', `/audiences/${audienceId}/timeline?mpid=99`)).toMatchObject({ changes: [] });
  });

  it('finds people by a bare phone number of the default region and by a combination of columns', async () => {
    for (const [identityType, identityValue] of [
      ['phone', '(202) 555-0100'],
      ['first_last_zip_state', 'Ann|Lee|2139|Massachusetts'],
    ] as const) {
      const query = new URLSearchParams({ identityType, identityValue });
      expect(await hub.ok('GET', `/audiences/${audienceId}/timeline?${query.toString()}`)).toMatchObject({
        mpid: '6',
      });
    }
  });

  it('refuses what is no identity, and knows nobody of another workspace', async () => {
    const ask = (query: Record<string, string>, key?: string) =>
      hub.api(
        'GET',
        `/audiences/${audienceId}/timeline?${new URLSearchParams(query).toString()}`,
        undefined,
        key,
      );
    expect((await ask({ identityType: 'email', identityValue: 'nobody@example.com' })).status).toBe(404);
    const refused = await ask({ identityType: 'email', identityValue: 'ann-at-example' });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).not.toContain('ann-at-example');
    expect((await ask({})).status).toBe(400);
    expect((await ask({ mpid: '12x' })).status).toBe(400);
    expect((await ask({ mpid: '-5' }, foreignKey)).status).toBe(404);
  });
});

describe('a profile', () => {
  it('shows its identities, strongest first, and the audiences it is in', async () => {
    expect(await hub.ok('GET', `/profiles/6?workspaceId=${workspace.id}`)).toEqual({
      mpid: '6',
      workspaceId: workspace.id,
      identities: [
        { type: 'phone', value: '+12025550100' },
        { type: 'first_last_zip_state', value: 'ann|lee|02139|MA' },
      ],
      attributes: [],
      audiences: [
        { id: audienceId, name: 'One', sinceVersion: 1 },
        { id: secondId, name: 'Two', sinceVersion: 1 },
      ],
    });
    // Was a member of a former version, and has no identity.
    expect((await hub.api('GET', `/profiles/7?workspaceId=${workspace.id}`)).status).toBe(404);
  });

  it('is masked for viewers, whose key names the workspace', async () => {
    const profile = await hub.ok('GET', '/profiles/-5', undefined, viewerKey);
    expect(profile).toMatchObject({ audiences: [{ id: audienceId, sinceVersion: 3 }] });
    expect(JSON.stringify(profile)).not.toContain('ann@example.com');
  });

  it('is not there for other workspaces, and needs one', async () => {
    expect(
      (await hub.api('GET', `/profiles/6?workspaceId=${workspace.id}`, undefined, foreignKey)).status,
    ).toBe(404);
    expect((await hub.api('GET', '/profiles/6', undefined, foreignKey)).status).toBe(404);
    expect((await hub.api('GET', '/profiles/six', undefined, viewerKey)).status).toBe(404);
    expect((await hub.api('GET', '/profiles/6')).status).toBe(400);
  });
});
