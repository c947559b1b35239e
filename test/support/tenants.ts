import { randomInt, randomUUID } from 'node:crypto';
import { startTestHub, type TestHub } from './hub.js';
import { fixtureMakers, type Fixture } from './routes.js';

/** A workspace in an organization of its own, with a key of every role. */
export interface Tenant {
  organizationId: string;
  workspaceId: string;
  /** The organization's number in IQM's API. */
  owId: string;
  admin: string;
  editor: string;
  viewer: string;
  /** In the name of everything the tenant has: nobody else may ever read it. */
  secretName: string;
}

/** A hub with two tenants that know nothing of each other. */
export interface Tenants {
  hub: TestHub;
  a: Tenant;
  b: Tenant;
  /** `path` with the ids of things of `b`; undefined where the hub has no things of this sort per tenant. */
  foreignPath(path: string): Promise<string | undefined>;
}

/** Starts a hub with two tenants. */
export async function startTenants(overrides: NodeJS.ProcessEnv = {}): Promise<Tenants> {
  const hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true', ...overrides });
  const a = await makeTenant(hub, 'Alpha');
  const b = await makeTenant(hub, 'Beta');
  return { hub, a, b, foreignPath: (path) => filledPath(hub, b, path) };
}

/** Makes an organization with one workspace and its keys. */
export async function makeTenant(hub: TestHub, name: string): Promise<Tenant> {
  const secretName = `${name}-${randomUUID()}`;
  const owId = String(randomInt(100_000, 2 ** 40));
  const organization = await hub.ok<{ id: string }>('POST', '/organizations', {
    name: secretName,
    externalId: owId,
  });
  const workspace = await hub.ok<{ id: string }>('POST', '/workspaces', {
    organizationId: organization.id,
    name: secretName,
    seatId: `seat-${name.toLowerCase()}`,
  });
  const keyOf = async (role: string) => {
    const body = { workspaceId: workspace.id, name: `${secretName} ${role}`, role };
    return (await hub.ok<{ key: string }>('POST', '/api-keys', body)).key;
  };
  return {
    organizationId: organization.id,
    workspaceId: workspace.id,
    owId,
    admin: await keyOf('admin'),
    editor: await keyOf('editor'),
    viewer: await keyOf('viewer'),
    secretName,
  };
}

async function filledPath(hub: TestHub, tenant: Tenant, path: string): Promise<string | undefined> {
  const prefix = Object.keys(fixtureMakers)
    .filter((candidate) => path.startsWith(candidate))
    .sort((one, other) => other.length - one.length)[0];
  const make: Fixture | undefined = prefix === undefined ? undefined : fixtureMakers[prefix];
  if (!make || make === 'of the hub') return undefined;
  const id = await make(hub, tenant);
  return path.replace(/\{\w+\}/, String(id));
}
