import { randomUUID } from 'node:crypto';
import type { TestHub } from './hub.js';
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
  hasId: boolean;
  isPublic: boolean;
  /** Needs more than the role viewer. */
  changes: boolean;
  /** A body that passes the route's own checks far enough to look the thing up. */
  body: object | undefined;
}

/** Makes one thing of a tenant and returns its id. */
export type Fixture = 'of the hub' | ((hub: TestHub, tenant: Tenant) => Promise<string | number>);

/**
 * How to make the thing whose id stands first in a path, by the beginning of the path; the longest counts.
 * 'of the hub': the same for everybody, so there is nothing foreign about it.
 */
export const fixtureMakers: Record<string, Fixture> = {
  '/api/v1/plugins/': 'of the hub',
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
  '/api/v1/inputs/': (hub, tenant) =>
    made(hub, '/inputs', {
      workspaceId: tenant.workspaceId,
      plugin: 'folder-drop',
      name: tenant.secretName,
      settings: { path: hub.dataDir, layout: 'repro' },
      enabled: false,
    }),
  '/api/v1/outputs/': (hub, tenant) =>
    made(hub, '/outputs', {
      workspaceId: tenant.workspaceId,
      plugin: 'file',
      name: tenant.secretName,
      settings: { destination: hub.dataDir, format: 'csv', content: 'members' },
    }),
};

/** Bodies of routes that look at their body before they look for the thing. */
const BODIES: Record<string, object> = {
  'PATCH /api/v1/api-keys/{id}': { name: 'renamed' },
};

async function made(hub: TestHub, path: string, body: object): Promise<string> {
  return (await hub.ok<{ id: string }>('POST', path, body)).id;
}

interface Operation {
  security?: unknown[];
  tags?: string[];
}

/** Reads routes that mean to be seen by one role only. */
const READS_OF_ADMINS = /^\/api\/v1\/(?:api-keys|outbox)/;

/** All routes of the document. */
export function routesOf(document: { paths: Record<string, Record<string, Operation>> }): Route[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]) => {
      const method = verb.toUpperCase();
      const isPublic = operation.security === undefined;
      return {
        name: `${method} ${path}`,
        method,
        path,
        example: path.replaceAll(/\{(\w+)\}/g, () => randomUUID()),
        hasId: path.includes('{'),
        isPublic,
        changes: !isPublic && (method !== 'GET' || READS_OF_ADMINS.test(path)),
        body: BODIES[`${method} ${path}`] ?? (method === 'GET' || method === 'DELETE' ? undefined : {}),
      };
    }),
  );
}
