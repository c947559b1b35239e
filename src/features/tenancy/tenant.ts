import { HubError } from '../../domain/errors/index.js';
import type { Principal } from './access/principal.js';
import { requireHubScope, requireWiderScope, type WorkspaceScope } from './scope.js';

/** Where a user or an API key belongs. Both null: the whole hub. */
export interface Tenant {
  organizationId: string | null;
  workspaceId: string | null;
}

/**
 * The tenant that a request names, held against what `principal` may see and reach. A named workspace
 * decides; an organization named beside it must be its own.
 */
export async function tenantOf(
  scope: WorkspaceScope,
  principal: Principal,
  given: { organizationId?: string; workspaceId?: string },
  what: string,
): Promise<Tenant> {
  if (given.workspaceId) {
    const workspace = await scope.requireWorkspace(principal, given.workspaceId);
    if (given.organizationId && given.organizationId !== workspace.organizationId) {
      throw new HubError('VALIDATION_FAILED', 'The workspace belongs to another organization.', [
        { field: 'organizationId', message: "must be the workspace's own organization, or absent" },
      ]);
    }
    return { organizationId: workspace.organizationId, workspaceId: workspace.id };
  }
  if (given.organizationId) {
    const organization = await scope.requireOrganization(principal, given.organizationId);
    requireWiderScope(principal, `${what} of a whole organization`);
    return { organizationId: organization.id, workspaceId: null };
  }
  requireHubScope(principal, `${what} of the whole hub`);
  return { organizationId: null, workspaceId: null };
}
