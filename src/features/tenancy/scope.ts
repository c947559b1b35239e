import { Injectable } from '@nestjs/common';
import { and, eq, sql, type Column, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { organizations, workspaces, type Database } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import type { Principal } from './access/principal.js';

export type Workspace = typeof workspaces.$inferSelect;
export type Organization = typeof organizations.$inferSelect;

/**
 * The condition that keeps a query inside what `principal` may see. `workspaceId` is the column of the
 * row's workspace. Every query of a feature takes it: `and(eq(outputs.id, id), scopedTo(principal, outputs.workspaceId))`.
 */
export function scopedTo(principal: Principal, workspaceId: Column): SQL {
  const { scope } = principal;
  switch (scope.kind) {
    case 'hub':
      return sql`true`;
    case 'organization':
      return sql`${workspaceId} in (select visible.id from ${workspaces} as visible where visible.organization_id = ${scope.organizationId})`;
    case 'workspace':
      return eq(workspaceId, scope.workspaceId);
  }
}

/** The same for a column that holds an organization's id. */
export function scopedToOrganization(principal: Principal, organizationId: Column): SQL {
  const { scope } = principal;
  return scope.kind === 'hub' ? sql`true` : eq(organizationId, scope.organizationId);
}

/** Throws FORBIDDEN where the key reaches one workspace only and `what` is a matter of the organization. */
export function requireWiderScope(principal: Principal, what: string): void {
  if (principal.scope.kind === 'workspace') {
    throw new HubError('FORBIDDEN', `${what} needs an API key of the organization or of the whole hub.`);
  }
}

/** Throws FORBIDDEN where the key does not reach the whole hub. */
export function requireHubScope(principal: Principal, what: string): void {
  if (principal.scope.kind !== 'hub') {
    throw new HubError('FORBIDDEN', `${what} needs an API key of the whole hub.`);
  }
}

/** Finds workspaces and organizations for a principal; what it may not see is not there. */
@Injectable()
export class WorkspaceScope {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The workspace, or NOT_FOUND where it does not exist or `principal` may not see it. */
  async requireWorkspace(principal: Principal, workspaceId: string): Promise<Workspace> {
    const [workspace] = await this.db
      .select()
      .from(workspaces)
      .where(and(eq(workspaces.id, workspaceId), scopedTo(principal, workspaces.id)));
    if (!workspace) throw notFound('workspace', workspaceId);
    return workspace;
  }

  /** The organization, or NOT_FOUND. A key of one workspace sees the organization it is in. */
  async requireOrganization(principal: Principal, organizationId: string): Promise<Organization> {
    const [organization] = await this.db
      .select()
      .from(organizations)
      .where(and(eq(organizations.id, organizationId), scopedToOrganization(principal, organizations.id)));
    if (!organization) throw notFound('organization', organizationId);
    return organization;
  }

  /** Ids of the workspaces `principal` may see, or `all`. For stores that cannot join the metadata. */
  async visibleWorkspaces(principal: Principal): Promise<'all' | string[]> {
    const { scope } = principal;
    if (scope.kind === 'hub') return 'all';
    if (scope.kind === 'workspace') return [scope.workspaceId];
    const rows = await this.db
      .select({ id: workspaces.id })
      .from(workspaces)
      .where(eq(workspaces.organizationId, scope.organizationId));
    return rows.map((row) => row.id);
  }
}
