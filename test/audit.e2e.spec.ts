import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'drizzle-orm';
import { AuditService } from '../src/features/audit/audit.service.js';
import { TestClock } from '../src/platform/clock/testing/test-clock.js';
import { auditEvents, type Database } from '../src/platform/database/index.js';
import { DATABASE } from '../src/platform/nest/index.js';
import { READING, routesOf, type Route } from './support/routes.js';
import { startTenants, type Tenants } from './support/tenants.js';
import { until } from './support/until.js';

/** Calls that change something and leave no row where they fail, and why. */
const WITHOUT_ROW_WHEN_REFUSED: Record<string, string> = {
  'POST /api/v3/ua/login': 'a log-in that fails is nobody known; one that succeeds is noted as user.log-in',
  'POST /api/v1/hooks/l2/universes':
    'its caller is known by a signature of the body, to an input and not to a key',
  'POST /api/v1/hooks/s3/{id}':
    'its caller is known by a secret, to an input and not to a key; what it brings in is noted as import.taken',
  'POST /api/v3/ua/logout': 'the caller is nobody known without an access token',
  'POST /api/v3/audience/static/matched/column-list': 'reads only, and needs an access token',
};

interface Event {
  sequence: number;
  workspaceId: string | null;
  organizationId: string | null;
  actorKind: string;
  actorName: string | null;
  requestId: string | null;
  action: string;
  objectType: string;
  objectId: string | null;
  outcome: string;
  code: string | null;
  changes: Record<string, unknown>;
}

let tenants: Tenants;
let db: Database;
let routes: Route[];
let drop: string;

beforeAll(async () => {
  tenants = await startTenants({ HUB_SWEEP_MS: '500' });
  db = tenants.hub.hub.app.get<Database>(DATABASE);
  drop = `${tenants.hub.dataDir}-drop`;
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
  await rm(drop, { recursive: true, force: true });
});

const events = async (query: string, key?: string) =>
  (await tenants.hub.ok<{ items: Event[] }>('GET', `/audit?pageSize=1000&${query}`, undefined, key)).items;
const ofRequest = async (headers: Headers) => {
  const id = headers.get('x-request-id');
  return (await events('')).filter(({ requestId }) => requestId !== null && requestId === id);
};

describe('every call that changes something', () => {
  it('leaves a row with who asked, for what, and how it ended', async () => {
    const { hub, b } = tenants;
    const silent: string[] = [];
    let done = 0;
    // The tenant itself goes last.
    const goesLast = ({ name }: Route) =>
      Number(/^DELETE .*\/(?:workspaces|organizations)\/\{id\}$/.test(name));
    const changing = routes.filter(({ method }) => !READING.has(method));
    for (const route of changing.sort((one, other) => goesLast(one) - goesLast(other))) {
      if (route.name in WITHOUT_ROW_WHEN_REFUSED) continue;
      const path = (route.hasId && (await tenants.foreignPath(route.path))) || route.example;
      const answer = await hub.api(route.method, `${path}${route.query}`, await route.bodyOf(hub, b));
      const [row] = (await ofRequest(answer.headers)).filter(
        ({ action }) => !action.startsWith('import.taken'),
      );
      const outcome = answer.status < 300 ? 'done' : answer.status < 500 ? 'refused' : 'failed';
      if (answer.status < 300) done += 1;
      if (row?.outcome !== outcome || row.actorKind !== 'key')
        silent.push(`${route.name}: ${answer.status} ${row?.outcome}`);
    }
    expect(silent).toEqual([]);
    expect(done).toBeGreaterThan(15);
  }, 120_000);

  it('is one of the list only where it is a call of the API', () => {
    const names = new Set(routes.map(({ name }) => name));
    expect(Object.keys(WITHOUT_ROW_WHEN_REFUSED).filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('a row', () => {
  it('tells what changed, and of secrets and settings only the names', async () => {
    const { hub, a } = tenants;
    const given = {
      workspaceId: a.workspaceId,
      plugin: 'webhook',
      name: 'Hook',
      settings: { url: 'https://example.com/very-private-path' },
      credentials: { secret: 'a-secret-nobody-may-read' },
    };
    const { id } = await hub.ok<{ id: string }>('POST', '/outputs', given, a.admin);
    await hub.ok('PATCH', `/outputs/${id}`, { name: 'Other hook' }, a.admin);
    await hub.ok('DELETE', `/outputs/${id}`, undefined, a.admin);
    const rows = (await events(`objectId=${id}`, a.admin)).toReversed();
    expect(rows.map(({ action }) => action)).toEqual(['output.create', 'output.update', 'output.delete']);
    expect(rows[0]).toMatchObject({
      workspaceId: a.workspaceId,
      organizationId: a.organizationId,
      actorName: `${a.secretName} admin`,
      changes: { name: { to: 'Hook' }, 'settings.url': 'changed', credentials: 'changed' },
    });
    expect(rows[1]?.changes).toEqual({ name: { from: 'Hook', to: 'Other hook' } });
    const person = { workspaceId: a.workspaceId, email: 'jo@example.com', name: 'Jo Doe', role: 'viewer' };
    await hub.ok('POST', '/users', person, a.admin);
    const all = JSON.stringify(await events('', a.admin));
    for (const secret of ['very-private-path', 'nobody-may-read', 'jo@example.com', 'Jo Doe']) {
      expect(all).not.toContain(secret);
    }
  });

  it('is not there where the change was rolled back, and says so where it was refused', async () => {
    const { hub, a } = tenants;
    const workspace = { organizationId: a.organizationId, name: 'Twice', seatId: 'seat-alpha' };
    const answer = await hub.api('POST', '/workspaces', workspace);
    expect(answer.status).toBe(409);
    expect(await ofRequest(answer.headers)).toMatchObject([
      { action: 'workspace.create', outcome: 'refused', code: 'ALREADY_EXISTS' },
    ]);
    const denied = await hub.api('DELETE', `/workspaces/${a.workspaceId}`, undefined, a.viewer);
    expect(await ofRequest(denied.headers)).toMatchObject([
      { action: 'workspace.delete', outcome: 'refused', code: 'FORBIDDEN', workspaceId: a.workspaceId },
    ]);
  });

  it('is never changed', async () => {
    await expect(db.update(auditEvents).set({ action: 'forged' })).rejects.toThrow();
    expect(await events('action=forged')).toEqual([]);
  });

  it('outlives its workspace, for the organization', async () => {
    const { hub, a } = tenants;
    const workspace = { organizationId: a.organizationId, name: 'Short-lived', seatId: 'short' };
    const { id } = await hub.ok<{ id: string }>('POST', '/workspaces', workspace);
    await hub.ok('DELETE', `/workspaces/${id}`);
    const wide = { organizationId: a.organizationId, name: 'organization', role: 'admin' };
    const { key } = await hub.ok<{ key: string }>('POST', '/api-keys', wide);
    const kept = await events(`workspaceId=${id}`, key);
    expect(kept.map(({ action }) => action)).toEqual(['workspace.delete', 'workspace.create']);
  });
});

describe('what happens to files', () => {
  it('is noted as the doing of whoever asked for the scan, and then of the hub', async () => {
    const { hub, a } = tenants;
    const path = join(drop, 'onboarding/seat_id=seat-alpha/files/Audited.csv');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'Email\none@example.com\ntwo@example.com\n');
    const past = new Date(Date.now() - 60_000);
    await utimes(path, past, past);
    const settings = { path: drop, layout: 'iqm' };
    const input = { workspaceId: a.workspaceId, plugin: 'folder-drop', name: 'drop', settings };
    const { id: inputId } = await hub.ok<{ id: string }>('POST', '/inputs', input, a.admin);
    const scan = await hub.api<{ queued: string[] }>('POST', `/inputs/${inputId}/scan`, undefined, a.admin);
    const [importId = ''] = scan.body.queued;
    await until(
      'it is published',
      async () => (await events(`objectId=${importId}&action=import.published`))[0],
      60_000,
    );
    const rows = (await events(`objectId=${importId}`, a.admin)).toReversed();
    expect(rows.map(({ action, actorKind }) => [action, actorKind])).toEqual([
      ['import.taken', 'key'],
      ['import.published', 'system'],
    ]);
    expect(rows[1]?.changes).toMatchObject({ version: { to: 1 }, members: { to: { added: 2, removed: 0 } } });
    expect(
      (await ofRequest(scan.headers)).map(({ action }) => action).sort((x, y) => x.localeCompare(y)),
    ).toEqual(['import.taken', 'input.scan']);
  }, 120_000);
});

describe('GET /audit', () => {
  it('shows the rows of the key that asks, and none of another workspace', async () => {
    const { a, b } = tenants;
    const own = await events('', a.admin);
    expect(own.length).toBeGreaterThan(0);
    expect(new Set(own.map(({ workspaceId }) => workspaceId))).toEqual(new Set([a.workspaceId]));
    expect(await events(`workspaceId=${b.workspaceId}`, a.admin)).toEqual([]);
    expect((await tenants.hub.api('GET', '/audit', undefined, a.editor)).status).toBe(403);
  });

  it('filters by action, outcome and time', async () => {
    const outputs = await events('action=output');
    expect(outputs.length).toBeGreaterThan(2);
    expect(outputs.every(({ action }) => action.startsWith('output.'))).toBe(true);
    expect((await events('outcome=refused')).every(({ outcome }) => outcome === 'refused')).toBe(true);
    expect(await events('to=2020-01-01T00:00:00Z')).toEqual([]);
    expect((await events('from=2020-01-01T00:00:00Z')).length).toBeGreaterThan(10);
  });

  it('is one file as CSV or NDJSON, in which no name is a formula', async () => {
    const { hub, a } = tenants;
    await hub.ok('POST', '/api-keys', { workspaceId: a.workspaceId, name: '=1+1', role: 'admin' }, a.admin);
    const total = (await events('', a.admin)).length;
    const ndjson = await fetch(`${hub.url}/api/v1/audit?format=ndjson`, {
      headers: { authorization: `Bearer ${a.admin}` },
    });
    const lines = (await ndjson.text()).trimEnd().split('\n');
    expect(lines).toHaveLength(total);
    expect(lines.map((line) => (JSON.parse(line) as Event).workspaceId)).toContain(a.workspaceId);
    const formula = await hub.ok<{ key: string }>(
      'POST',
      '/api-keys',
      { workspaceId: a.workspaceId, name: '=1+2', role: 'admin' },
      a.admin,
    );
    await hub.ok('POST', '/outputs', outputOf(a.workspaceId, hub.dataDir), formula.key);
    const csv = await fetch(`${hub.url}/api/v1/audit?format=csv`, {
      headers: { authorization: `Bearer ${a.admin}` },
    });
    const text = await csv.text();
    expect(csv.headers.get('content-disposition')).toContain('audit.csv');
    expect(text.split('\n')[0]).toContain('sequence,at,organizationId');
    expect(text).toContain(`,'=1+2,`);
    expect(text).not.toContain(',=1+2,');
  });

  it('lets go of what is older than it is to be kept, and of nothing else', async () => {
    const clock = new TestClock('2026-06-01T00:00:00Z');
    const before = await db.$count(auditEvents);
    const old = { actorKind: 'system', action: 'old', objectType: 'x', outcome: 'done' } as const;
    const at = (days: number) => new Date(clock.now().getTime() - days * 86_400_000);
    await db.insert(auditEvents).values([31, 29].map((days) => ({ ...old, at: at(days) })));
    const never = new AbortController().signal;
    expect(await new AuditService(db, clock, {}).forget(never)).toBe(0);
    expect(await new AuditService(db, clock, { auditDays: 30 }).forget(never)).toBe(1);
    expect(await db.$count(auditEvents)).toBe(before + 1);
    expect(await db.$count(auditEvents, sql`action = 'old'`)).toBe(1);
  });
});

function outputOf(workspaceId: string, destination: string) {
  return {
    workspaceId,
    plugin: 'file',
    name: 'x',
    settings: { destination, format: 'csv', content: 'members' },
  };
}
