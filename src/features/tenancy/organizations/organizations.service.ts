import { Injectable } from '@nestjs/common';
import { asc, count, eq, inArray } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import {
  audiences,
  isUniqueViolation,
  organizations,
  workspaces,
  type Database,
} from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { readPage, type Page, type PageQuery } from '../../http/index.js';
import type { Principal } from '../access/principal.js';
import { requireHubScope, scopedToOrganization, WorkspaceScope, type Organization } from '../scope.js';
import type { CreateOrganization, UpdateOrganization } from './organizations.dto.js';

@Injectable()
export class OrganizationsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly scope: WorkspaceScope,
  ) {}

  async create(principal: Principal, given: CreateOrganization): Promise<Organization> {
    requireHubScope(principal, 'Adding an organization');
    const [row] = await this.db
      .insert(organizations)
      .values({ name: given.name, externalId: given.externalId ?? null })
      .returning()
      .catch(sayExternalIdTaken);
    if (!row) throw notFound('organization', given.name);
    return row;
  }

  async list(principal: Principal, query: PageQuery): Promise<Page<Organization>> {
    const visible = scopedToOrganization(principal, organizations.id);
    return readPage(query, this.db.$count(organizations, visible), (limit, offset) =>
      this.db
        .select()
        .from(organizations)
        .where(visible)
        .orderBy(asc(organizations.name), asc(organizations.id))
        .limit(limit)
        .offset(offset),
    );
  }

  get(principal: Principal, id: string): Promise<Organization> {
    return this.scope.requireOrganization(principal, id);
  }

  async update(principal: Principal, id: string, given: UpdateOrganization): Promise<Organization> {
    const current = await this.scope.requireOrganization(principal, id);
    requireHubScope(principal, 'Changing an organization');
    const [row] = await this.db
      .update(organizations)
      .set({ name: given.name ?? current.name, externalId: given.externalId ?? current.externalId })
      .where(eq(organizations.id, id))
      .returning()
      .catch(sayExternalIdTaken);
    if (!row) throw notFound('organization', id);
    return row;
  }

  /** Deletes it with its workspaces; refused while one of them holds an audience. */
  async delete(principal: Principal, id: string): Promise<void> {
    await this.scope.requireOrganization(principal, id);
    requireHubScope(principal, 'Deleting an organization');
    await this.db.transaction(async (tx) => {
      // Locked, so that no workspace and no audience can appear between the count and the deletion.
      await tx.select().from(organizations).where(eq(organizations.id, id)).for('update');
      const owned = await tx.select().from(workspaces).where(eq(workspaces.organizationId, id)).for('update');
      const ids = owned.map((workspace) => workspace.id);
      const held = await tx
        .select({ workspaceId: audiences.workspaceId, audiences: count() })
        .from(audiences)
        .where(inArray(audiences.workspaceId, ids))
        .groupBy(audiences.workspaceId);
      if (held.length > 0) {
        throw new HubError(
          'IN_USE',
          `${held.length} of its workspaces still hold audiences. Delete the audiences first.`,
          held.map((row) => ({
            field: `workspace ${row.workspaceId}`,
            message: `${row.audiences} audiences`,
          })),
        );
      }
      await tx.delete(workspaces).where(eq(workspaces.organizationId, id));
      await tx.delete(organizations).where(eq(organizations.id, id));
    });
  }
}

function sayExternalIdTaken(error: unknown): never {
  if (!isUniqueViolation(error)) throw error;
  throw new HubError('ALREADY_EXISTS', 'Another organization has this externalId.', [
    { field: 'externalId', message: 'must be unique in the hub' },
  ]);
}
