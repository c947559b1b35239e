import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTenants, type Tenants } from './support/tenants.js';
import { fixtureMakers, routesOf, type Route } from './support/routes.js';

/** Routes without an API key. Those that check their caller in another way say how. */
const PUBLIC_ROUTES = [
  'GET /health',
  // By Client ID and Client Secret, and a user's password.
  'POST /api/v3/ua/login',
  // By a signature or a secret of an input.
  'POST /api/v1/hooks/l2/universes',
  // By the webhookSecret of the input.
  'POST /api/v1/hooks/s3/{id}',
];

let tenants: Tenants;
let routes: Route[];

beforeAll(async () => {
  tenants = await startTenants();
  const { body } = await tenants.hub.api<{ paths: Record<string, Record<string, object>> }>(
    'GET',
    '/docs-json',
    undefined,
    null,
  );
  routes = routesOf(body);
}, 120_000);

afterAll(async () => {
  await tenants?.hub.stop();
});

describe('every route of the API', () => {
  it('answers 401 without a key, and with a key that is not known', async () => {
    const open: string[] = [];
    for (const route of routes.filter(({ isPublic }) => !isPublic)) {
      for (const key of [null, 'hub_unknown-key-unknown-key-unknown-key']) {
        const { status } = await tenants.hub.api(route.method, route.example, undefined, key);
        if (status !== 401) open.push(`${route.name}: ${status}`);
      }
    }
    expect(open).toEqual([]);
  });

  it('is closed, but for those that are meant for everybody', () => {
    const open = routes.filter(({ isPublic }) => isPublic).map(({ name }) => name);
    expect(open.toSorted()).toEqual(PUBLIC_ROUTES.toSorted());
  });

  it('refuses viewers where it changes something', async () => {
    const open: string[] = [];
    for (const route of routes.filter(({ changes }) => changes)) {
      const { status } = await tenants.hub.api(route.method, route.example, undefined, tenants.a.viewer);
      if (status !== 403) open.push(`${route.name}: ${status}`);
    }
    expect(open).toEqual([]);
  });

  it('has a maker of fixtures for its path, so that the next test covers it', () => {
    const makers = Object.keys(fixtureMakers);
    const bare = routes.filter(
      ({ path, hasId }) => hasId && !makers.some((prefix) => path.startsWith(prefix)),
    );
    const advice = bare.map(({ name }) => `${name}: add a maker for its path in test/support/routes.ts`);
    expect(advice).toEqual([]);
  });

  it("answers 404 where the key of a workspace names another workspace's thing", async () => {
    const seen: string[] = [];
    let asked = 0;
    for (const route of routes.filter(({ hasId }) => hasId)) {
      const foreign = await tenants.foreignPath(route.path);
      if (foreign === undefined) continue;
      const { status, body } = await tenants.hub.api(
        route.method,
        `${foreign}${route.query}`,
        await route.bodyOf(tenants.hub, tenants.a),
        tenants.a.admin,
        { 'x-iaa-ow-id': tenants.a.owId },
      );
      asked += 1;
      const told = JSON.stringify(body ?? '').includes(tenants.b.secretName);
      if (status !== 404 || told) seen.push(`${route.name}: ${status}${told ? ' and tells of it' : ''}`);
    }
    expect(seen).toEqual([]);
    expect(asked).toBeGreaterThan(15);
  });

  it('shows nothing of another workspace in a list, however it is filtered', async () => {
    const told: string[] = [];
    for (const route of routes.filter(
      ({ method, hasId, isPublic }) => method === 'GET' && !hasId && !isPublic,
    )) {
      for (const query of ['', `?workspaceId=${tenants.b.workspaceId}`]) {
        const { body } = await tenants.hub.api('GET', `${route.example}${query}`, undefined, tenants.a.admin);
        if (JSON.stringify(body ?? '').includes(tenants.b.secretName)) told.push(`${route.name}${query}`);
      }
    }
    expect(told).toEqual([]);
  });
});

describe('keys', () => {
  it('reach their organization where they are made for it, and no other', async () => {
    const { hub, a, b } = tenants;
    const key = await hub.ok<{ key: string }>('POST', '/api-keys', {
      organizationId: a.organizationId,
      name: 'all of A',
      role: 'admin',
    });
    const own = await hub.api('GET', `/workspaces/${a.workspaceId}`, undefined, key.key);
    const other = await hub.api('GET', `/workspaces/${b.workspaceId}`, undefined, key.key);
    expect([own.status, other.status]).toEqual([200, 404]);
    const list = await hub.ok<{ items: { id: string }[] }>('GET', '/workspaces', undefined, key.key);
    expect(list.items.map(({ id }) => id)).toEqual([a.workspaceId]);
  });

  it('are shown once and kept as a hash', async () => {
    const { hub, a } = tenants;
    const made = await hub.ok<{ id: string; key: string; prefix: string }>('POST', '/api-keys', {
      workspaceId: a.workspaceId,
      name: 'shown once',
      role: 'viewer',
    });
    expect(made.key).toMatch(/^hub_[\w-]{43}$/);
    const again = await hub.ok('GET', `/api-keys/${made.id}`);
    const list = await hub.ok('GET', '/api-keys');
    expect(JSON.stringify([again, list])).not.toContain(made.key);
    expect(again).toMatchObject({ prefix: made.key.slice(0, 10), role: 'viewer' });
  });

  it('open nothing once they are revoked', async () => {
    const { hub, a } = tenants;
    const made = await hub.ok<{ id: string; key: string }>('POST', '/api-keys', {
      workspaceId: a.workspaceId,
      name: 'short-lived',
      role: 'viewer',
    });
    await hub.ok('GET', '/workspaces', undefined, made.key);
    await hub.ok('DELETE', `/api-keys/${made.id}`);
    expect(await hub.api('GET', '/workspaces', undefined, made.key)).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED' },
    });
    expect(await hub.ok('GET', `/api-keys/${made.id}`)).toMatchObject({ revokedAt: expect.any(String) });
  });

  it('make no key beyond their own scope or role', async () => {
    const { hub, a, b } = tenants;
    const ask = async (body: object, key: string) => (await hub.api('POST', '/api-keys', body, key)).status;
    expect(await ask({ name: 'hub', role: 'viewer' }, a.admin)).toBe(403);
    expect(await ask({ organizationId: a.organizationId, name: 'org', role: 'viewer' }, a.admin)).toBe(403);
    expect(await ask({ workspaceId: b.workspaceId, name: 'other', role: 'viewer' }, a.admin)).toBe(404);
    expect(await ask({ workspaceId: a.workspaceId, name: 'own', role: 'admin' }, a.editor)).toBe(403);
    expect(await ask({ workspaceId: a.workspaceId, name: 'own', role: 'editor' }, a.admin)).toBe(201);
  });

  it('note when they were last used', async () => {
    const { hub, a } = tenants;
    await hub.ok('GET', '/workspaces', undefined, a.editor);
    const { items } = await hub.ok<{ items: { prefix: string; lastUsedAt: string | null }[] }>(
      'GET',
      '/api-keys',
    );
    const used = items.find(({ prefix }) => prefix === a.editor.slice(0, 10));
    expect(Date.parse(used?.lastUsedAt ?? '')).toBeGreaterThan(Date.now() - 120_000);
  });
});
