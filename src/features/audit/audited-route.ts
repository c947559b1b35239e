import { sql, type SQL } from 'drizzle-orm';
import { rowsOf, type Database } from '../../platform/database/index.js';

/** What a call of the API is about, told by its method and path. */
export interface AuditedRoute {
  action: string;
  object: { type: string; id?: string };
}

/** Things by the first word of their path, with the table that knows their workspace. */
const THINGS: Record<string, { type: string; table?: string }> = {
  organizations: { type: 'organization' },
  workspaces: { type: 'workspace' },
  users: { type: 'user', table: 'users' },
  'api-keys': { type: 'api-key', table: 'api_keys' },
  inputs: { type: 'input', table: 'inputs' },
  imports: { type: 'import', table: 'imports' },
  outputs: { type: 'output', table: 'outputs' },
  connections: { type: 'connection', table: 'connections' },
  deliveries: { type: 'delivery', table: 'deliveries' },
  faults: { type: 'fault', table: 'faults' },
  audiences: { type: 'audience', table: 'audiences' },
  exports: { type: 'export', table: 'exports' },
  uploads: { type: 'upload', table: 'uploads' },
  erasures: { type: 'erasure', table: 'erasures' },
  suppressions: { type: 'suppression' },
};

const VERBS: Record<string, string> = { POST: 'create', PUT: 'set', PATCH: 'update', DELETE: 'delete' };

/** True for calls that may change something. */
export function mayChange(method: string): boolean {
  return method in VERBS;
}

/** `POST /api/v1/imports/:id/release` is `import.release`. `path` is the route's, with names for ids. */
export function auditedRoute(method: string, path: string, id: string | undefined): AuditedRoute {
  const [first = 'call', ...rest] = path.replace(/^\/?(?:api\/v\d+\/)?/, '').split('/');
  const type = THINGS[first]?.type ?? first;
  const words = rest.filter((word) => !/^[:{]/.test(word));
  const verb = VERBS[method] ?? method.toLowerCase();
  const action = [type, ...words, ...(method === 'POST' && words.length > 0 ? [] : [verb])].join('.');
  return { action, object: { type, ...(id === undefined ? {} : { id }) } };
}

/** Where something belongs. */
export interface AuditedTenant {
  workspaceId?: string | null;
  organizationId?: string | null;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The workspace and organization of the thing that a path names, as far as the hub knows it. */
export async function tenantOfPath(db: Database, path: string, id: string): Promise<AuditedTenant> {
  const [first = ''] = path.replace(/^\/?api\/v\d+\//, '').split('/');
  const isNumbered = first === 'audiences';
  if (!(isNumbered ? /^\d{1,15}$/ : UUID).test(id)) return {};
  if (first === 'organizations') return { organizationId: id };
  const source = first === 'workspaces' ? OF_WORKSPACE : sourceOf(THINGS[first]?.table);
  if (source === undefined) return {};
  const key = isNumbered ? sql`${id}::bigint` : sql`${id}::uuid`;
  const [row] = rowsOf<AuditedTenant>(await db.execute(sql`${source} where thing.id = ${key}`));
  return row ?? {};
}

const OF_WORKSPACE = sql`select thing.id as "workspaceId", thing.organization_id as "organizationId" from workspaces as thing`;

function sourceOf(table: string | undefined): SQL | undefined {
  if (table === undefined) return undefined;
  // Users and keys may belong to an organization as a whole.
  const own = table === 'users' || table === 'api_keys' ? sql`thing.organization_id` : sql`null::uuid`;
  return sql`select thing.workspace_id as "workspaceId", coalesce(w.organization_id, ${own}) as "organizationId"
    from ${sql.identifier(table)} as thing left join workspaces as w on w.id = thing.workspace_id`;
}
