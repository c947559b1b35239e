import { Injectable } from '@nestjs/common';
import { asc, count, eq, inArray } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { changesOf, recordAudit } from '../../../platform/audit/index.js';
import {
  audiences,
  isUniqueViolation,
  organizations,
  workspaces,
  type Database,
  type OrganizationHold,
  type Transaction,
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
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .insert(organizations)
        .values({
          name: given.name,
          externalId: given.externalId ?? null,
          uploadApproval: given.uploadApproval ?? 'automatic',
        })
        .returning()
        .catch(sayExternalIdTaken);
      if (!row) throw notFound('organization', given.name);
      await note(tx, 'create', undefined, row);
      return row;
    });
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
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .update(organizations)
        .set({
          name: given.name ?? current.name,
          externalId: given.externalId ?? current.externalId,
          uploadApproval: given.uploadApproval ?? current.uploadApproval,
        })
        .where(eq(organizations.id, id))
        .returning()
        .catch(sayExternalIdTaken);
      if (!row) throw notFound('organization', id);
      await note(tx, 'update', current, row);
      return row;
    });
  }

  /** Puts it on hold, or lifts the hold where none is given. */
  async setHold(principal: Principal, id: string, hold: OrganizationHold | undefined): Promise<Organization> {
    const current = await this.scope.requireOrganization(principal, id);
    requireHubScope(principal, 'Putting an organization on hold');
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .update(organizations)
        .set({ hold: hold ? { reason: hold.reason, supportEmail: hold.supportEmail } : null })
        .where(eq(organizations.id, id))
        .returning();
      if (!row) throw notFound('organization', id);
      await note(tx, hold ? 'hold' : 'release', current, row);
      return row;
    });
  }

  /** Deletes it with its workspaces; refused while one of them holds an audience. */
  async delete(principal: Principal, id: string): Promise<void> {
    const current = await this.scope.requireOrganization(principal, id);
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
      await note(tx, 'delete', current, undefined);
    });
  }
}

async function note(
  tx: Transaction,
  verb: 'create' | 'update' | 'delete' | 'hold' | 'release',
  before: Organization | undefined,
  after: Organization | undefined,
): Promise<void> {
  const id = (after ?? before)?.id;
  await recordAudit(tx, {
    action: `organization.${verb}`,
    object: { type: 'organization', id },
    organizationId: id,
    changes: changesOf(before, after, { shown: ['name', 'externalId', 'uploadApproval'], named: ['hold'] }),
  });
}

function sayExternalIdTaken(error: unknown): never {
  if (!isUniqueViolation(error)) throw error;
  throw new HubError('ALREADY_EXISTS', 'Another organization has this externalId.', [
    { field: 'externalId', message: 'must be unique in the hub' },
  ]);
}
