import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import {
  audiences,
  connections,
  deliveries,
  exportsTable,
  faults,
  imports,
  uploads,
  workspaces,
  type Database,
} from '../../src/platform/database/index.js';
import { DATABASE, WAREHOUSE } from '../../src/platform/nest/index.js';
import type { Warehouse } from '../../src/platform/warehouse/index.js';
import type { TestHub } from './hub.js';
import { seedProfiles } from './seed.js';
import type { Tenant } from './tenants.js';

/** One route of the OpenAPI document. */
export interface Route {
  /** `GET /api/v1/outputs/{id}`. */
  name: string;
  method: string;
  /** As in the document, with `{id}`. */
  path: string;
  /** `path` with ids that do not exist. */
  example: string;
  /** `?…` where the route needs one, else empty. */
  query: string;
  hasId: boolean;
  isPublic: boolean;
  /** Needs more than the role viewer. */
  changes: boolean;
  /** A body that is right but for the thing in the path, made of things of `own`. */
  bodyOf(hub: TestHub, own: Tenant): Promise<object | undefined>;
}

/** Makes one thing of a tenant and returns its id. */
export type Fixture = 'of the hub' | ((hub: TestHub, tenant: Tenant) => Promise<string | number>);

/**
 * How to make the thing whose id stands first in a path, by the beginning of the path; the longest counts.
 * 'of the hub': the same for everybody, so there is nothing foreign about it.
 */
export const fixtureMakers: Record<string, Fixture> = {
  '/api/v1/plugins/': 'of the hub',
  // Public: answers by the secret of the input, and the same where there is no such input.
  '/api/v1/hooks/s3/': 'of the hub',
  '/api/v1/organizations/': async (_, tenant) => tenant.organizationId,
  '/api/v1/workspaces/': async (_, tenant) => tenant.workspaceId,
  '/api/v1/users/': (hub, tenant) =>
    made(hub, '/users', {
      workspaceId: tenant.workspaceId,
      email: 'admin@example.com',
      name: tenant.secretName,
      role: 'admin',
    }),
  '/api/v1/api-keys/': (hub, tenant) =>
    made(hub, '/api-keys', { workspaceId: tenant.workspaceId, name: tenant.secretName, role: 'viewer' }),
  '/api/v1/api-clients/': (hub, tenant) =>
    made(hub, '/api-clients', { workspaceId: tenant.workspaceId, name: tenant.secretName }),
  '/api/v1/inputs/': (hub, tenant) =>
    made(hub, '/inputs', {
      workspaceId: tenant.workspaceId,
      plugin: 'folder-drop',
      name: tenant.secretName,
      settings: { path: hub.dataDir, layout: 'repro' },
      enabled: false,
    }),
  '/api/v1/outputs/': makeOutput,
  '/api/v1/audiences/': makeAudience,
  '/api/v2/audience/matched/': makeMatchedAudience,
  '/api/v3/audience/matched/': makeMatchedAudience,
  '/api/v1/imports/': async (hub, { workspaceId, secretName }) => {
    const source = { key: secretName };
    const row = { workspaceId, sourceKey: secretName, revision: '1', audienceName: secretName, source };
    return idOf(
      await database(hub)
        .insert(imports)
        .values({ ...row, state: 'held' })
        .returning(),
    );
  },
  '/api/v1/uploads/': async (hub, { workspaceId, secretName }) => {
    const row = { workspaceId, audienceName: secretName, state: 'refused' as const, expiresAt: new Date() };
    return idOf(await database(hub).insert(uploads).values(row).returning());
  },
  '/api/v1/connections/': makeConnection,
  '/api/v1/deliveries/': async (hub, tenant) => {
    const connectionId = await makeConnection(hub, tenant);
    const row = { workspaceId: tenant.workspaceId, connectionId, fromVersion: 0, toVersion: 1 };
    return idOf(
      await database(hub)
        .insert(deliveries)
        .values({ ...row, state: 'cancelled' })
        .returning(),
    );
  },
  '/api/v1/faults/': async (hub, tenant) => {
    const connectionId = await makeConnection(hub, tenant);
    const row = { workspaceId: tenant.workspaceId, connectionId, kind: 'config' as const };
    const told = { code: 'HTTP_404', message: tenant.secretName };
    return idOf(
      await database(hub)
        .insert(faults)
        .values({ ...row, ...told })
        .returning(),
    );
  },
  '/api/v1/profiles/': makeProfile,
  '/api/v1/erasures/': makeErasure,
  '/api/v1/suppressions/': makeSuppression,
  '/api/v1/exports/': async (hub, tenant) => {
    const audienceIds = [await makeAudience(hub, tenant)];
    const row = { workspaceId: tenant.workspaceId, audienceIds, identityTypes: ['email'] };
    return idOf(
      await database(hub)
        .insert(exportsTable)
        .values({ ...row, state: 'failed' })
        .returning(),
    );
  },
};

/** Somebody of the tenant's workspace is erased whom nobody knows. */
async function makeErasure(hub: TestHub, { workspaceId, secretName }: Tenant): Promise<string> {
  const identities = [{ type: 'customer_id', value: secretName }];
  return made(hub, '/erasures', { workspaceId, identities });
}

async function makeSuppression(hub: TestHub, tenant: Tenant): Promise<string> {
  await makeErasure(hub, tenant);
  const { items } = await hub.ok<{ items: { id: string }[] }>(
    'GET',
    `/suppressions?workspaceId=${tenant.workspaceId}`,
  );
  return idOf(items);
}

/** Written into the database: these things come out of imports and deliveries, not of one call. */
function database(hub: TestHub): Database {
  return hub.hub.app.get<Database>(DATABASE);
}

function makeOutput(hub: TestHub, { workspaceId, secretName }: Tenant): Promise<string> {
  return made(hub, '/outputs', {
    workspaceId,
    plugin: 'file',
    name: secretName,
    settings: { destination: hub.dataDir, format: 'csv', content: 'members' },
  });
}

async function makeAudience(hub: TestHub, { workspaceId, secretName }: Tenant): Promise<number> {
  const row = { workspaceId, name: secretName, kind: 'imported' as const };
  return idOf(await database(hub).insert(audiences).values(row).returning());
}

async function makeMatchedAudience(hub: TestHub, { workspaceId, secretName }: Tenant): Promise<number> {
  const row = { workspaceId, name: secretName, kind: 'matched' as const };
  return idOf(await database(hub).insert(audiences).values(row).returning());
}

async function makeConnection(hub: TestHub, tenant: Tenant): Promise<string> {
  const { workspaceId } = tenant;
  const audienceId = await makeAudience(hub, tenant);
  const outputId = await makeOutput(hub, tenant);
  const row = { workspaceId, audienceId, outputId, status: 'inactive' as const };
  return idOf(await database(hub).insert(connections).values(row).returning());
}

/** A profile of the tenant's workspace, known by one customer id. */
async function makeProfile(
  hub: TestHub,
  { workspaceId, organizationId, secretName }: Tenant,
): Promise<string> {
  const db = database(hub);
  const [workspace] = await db.select().from(workspaces).where(eq(workspaces.id, workspaceId));
  const mpid = '4611686018427387905';
  const at = { id: workspaceId, number: workspace?.number ?? 0, organizationId };
  const profile = { mpid, identities: { customer_id: [secretName] } };
  await seedProfiles(hub.hub.app.get<Warehouse>(WAREHOUSE), at, [profile]);
  return mpid;
}

function idOf<Id>(rows: { id: Id }[]): Id {
  const [row] = rows;
  if (!row) throw new Error('The database returned no row.');
  return row.id;
}

/** Bodies of routes that need one, so that the thing in the path is all that is wrong with a request. */
const bodyMakers: Record<string, (hub: TestHub, own: Tenant) => Promise<object>> = {
  'PATCH /api/v1/api-keys/{id}': async () => ({ name: 'renamed' }),
  'PUT /api/v1/users/{id}/password': async () => ({ password: 'another-password' }),
  'PUT /api/v1/organizations/{id}/hold': async () => ({
    reason: 'A test',
    supportEmail: 'support@example.com',
  }),
  'POST /api/v1/inputs/{id}/tombstones/lift': async () => ({ key: 'Hikers.csv' }),
  'POST /api/v1/inputs/{id}/preflight': async () => ({ key: 'Hikers.csv' }),
  'POST /api/v1/audiences/{id}/mapping/approve': async () => ({ importId: randomUUID() }),
  'PUT /api/v1/audiences/{id}/ab-test': async () => ({
    variants: [
      { name: 'Push', percentage: 40 },
      { name: 'E-mail', percentage: 40 },
    ],
  }),
  'POST /api/v1/connections/{id}/plan/apply': async () => ({ planId: randomUUID() }),
  'POST /api/v1/audiences/{id}/connections': async (hub, own) => ({
    outputId: await makeOutput(hub, own),
    settings: {},
    status: 'inactive',
  }),
};

/** Queries that routes cannot do without. */
const queries: Record<string, string> = { 'GET /api/v1/audiences/{id}/timeline': '?mpid=1' };

async function made(hub: TestHub, path: string, body: object): Promise<string> {
  return (await hub.ok<{ id: string }>('POST', path, body)).id;
}

interface Operation {
  security?: object[];
  tags?: string[];
}

/** Reads routes that mean to be seen by one role only. */
const READS_OF_ADMINS = /^\/api\/v1\/(?:api-keys|api-clients|outbox|audit)/;

/** Methods that change nothing. */
export const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Calls of IQM's API that change nothing for anybody else, though they are POST. */
const READS_BY_POST = new Set([
  'POST /api/v3/ua/logout',
  'POST /api/v3/audience/static/matched/column-list',
  'POST /api/v3/audience/matched',
]);

/** All routes of the document. */
export function routesOf(document: { paths: Record<string, Record<string, Operation>> }): Route[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]) => {
      const method = verb.toUpperCase();
      // A key or an access token; what checks its caller in another way is open as far as keys go.
      const isPublic = !operation.security?.some((one) => Object.hasOwn(one, 'bearer'));
      return {
        name: `${method} ${path}`,
        method,
        path,
        example: path.replaceAll(/\{(\w+)\}/g, () => randomUUID()),
        query: queries[`${method} ${path}`] ?? '',
        hasId: path.includes('{'),
        isPublic,
        changes:
          !isPublic &&
          !READS_BY_POST.has(`${method} ${path}`) &&
          (!READING.has(method) || READS_OF_ADMINS.test(path)),
        bodyOf:
          bodyMakers[`${method} ${path}`] ??
          (async () => (/^(?:GET|HEAD|OPTIONS|DELETE)$/.test(method) ? undefined : {})),
      };
    }),
  );
}
