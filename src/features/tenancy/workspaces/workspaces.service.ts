import { Injectable } from '@nestjs/common';
import { and, asc, eq, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { changesOf, recordAudit } from '../../../platform/audit/index.js';
import {
  audiences,
  isUniqueViolation,
  workspaces,
  type Database,
  type Transaction,
  type WorkspaceSettings,
} from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { readPage, type Page } from '../../http/index.js';
import type { Principal } from '../access/principal.js';
import { requireWiderScope, scopedTo, WorkspaceScope, type Workspace } from '../scope.js';
import { hostOf } from './host.js';
import type { CreateWorkspace, UpdateWorkspace, WorkspacesQuery } from './workspaces.dto.js';

@Injectable()
export class WorkspacesService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly scope: WorkspaceScope,
  ) {}

  async create(principal: Principal, given: CreateWorkspace): Promise<Workspace> {
    await this.scope.requireOrganization(principal, given.organizationId);
    requireWiderScope(principal, 'Adding a workspace');
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .insert(workspaces)
        .values({
          organizationId: given.organizationId,
          name: given.name,
          seatId: given.seatId,
          host: given.host === undefined ? null : checkedHost(given.host),
          settings: settingsOf(given.settings),
        })
        .returning()
        .catch(sayTaken);
      if (!row) throw notFound('workspace', given.seatId);
      await note(tx, 'create', undefined, row);
      return row;
    });
  }

  async list(principal: Principal, query: WorkspacesQuery): Promise<Page<Workspace>> {
    const where = and(
      scopedTo(principal, workspaces.id),
      query.organizationId ? eq(workspaces.organizationId, query.organizationId) : undefined,
      query.seatId ? eq(workspaces.seatId, query.seatId) : undefined,
    );
    return readPage(query, this.db.$count(workspaces, where), (limit, offset) =>
      this.rows(where, limit, offset),
    );
  }

  get(principal: Principal, id: string): Promise<Workspace> {
    return this.scope.requireWorkspace(principal, id);
  }

  /** Seat and audience limit are set by the organization, not by the workspace itself. */
  async update(principal: Principal, id: string, given: UpdateWorkspace): Promise<Workspace> {
    const current = await this.scope.requireWorkspace(principal, id);
    const host = given.host === undefined ? current.host : checkedHost(given.host);
    if (host !== current.host) requireWiderScope(principal, 'Changing the host');
    const settings = given.settings ? settingsOf(given.settings) : current.settings;
    if (given.seatId !== undefined && given.seatId !== current.seatId) {
      requireWiderScope(principal, 'Changing the seat id');
    }
    if (settings.audienceLimit !== current.settings.audienceLimit) {
      requireWiderScope(principal, 'Changing the audience limit');
    }
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .update(workspaces)
        .set({ name: given.name ?? current.name, seatId: given.seatId ?? current.seatId, host, settings })
        .where(eq(workspaces.id, id))
        .returning()
        .catch(sayTaken);
      if (!row) throw notFound('workspace', id);
      await note(tx, 'update', current, row);
      return row;
    });
  }

  /** Deletes it with its inputs, outputs, imports and keys; refused while it holds an audience. */
  async delete(principal: Principal, id: string): Promise<void> {
    const current = await this.scope.requireWorkspace(principal, id);
    requireWiderScope(principal, 'Deleting a workspace');
    await this.db.transaction(async (tx) => {
      // Locked, so that no audience can appear between the count and the deletion.
      await tx.select().from(workspaces).where(eq(workspaces.id, id)).for('update');
      const held = await tx.$count(audiences, eq(audiences.workspaceId, id));
      if (held > 0) {
        throw new HubError('IN_USE', `The workspace still holds ${held} audiences. Delete them first.`, [
          { field: 'audiences', message: String(held) },
        ]);
      }
      await tx.delete(workspaces).where(eq(workspaces.id, id));
      await note(tx, 'delete', current, undefined);
    });
  }

  private rows(where: SQL | undefined, limit: number, offset: number): Promise<Workspace[]> {
    return this.db
      .select()
      .from(workspaces)
      .where(where)
      .orderBy(asc(workspaces.name), asc(workspaces.id))
      .limit(limit)
      .offset(offset);
  }
}

async function note(
  tx: Transaction,
  verb: 'create' | 'update' | 'delete',
  before: Workspace | undefined,
  after: Workspace | undefined,
): Promise<void> {
  const { id, organizationId } = after ?? before ?? {};
  await recordAudit(tx, {
    action: `workspace.${verb}`,
    object: { type: 'workspace', id },
    workspaceId: id,
    organizationId,
    changes: changesOf(before, after, { shown: ['name', 'seatId', 'host', 'settings'] }),
  });
}

function settingsOf(given: WorkspaceSettings | undefined): WorkspaceSettings {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined));
}

function checkedHost(given: string): string {
  const host = hostOf(given);
  if (host !== undefined) return host;
  throw new HubError('VALIDATION_FAILED', 'The host of the workspace cannot be read.', [
    { field: 'host', message: 'must be a host name, with or without port, or the URL of one' },
  ]);
}

function sayTaken(error: unknown): never {
  if (!isUniqueViolation(error)) throw error;
  throw new HubError('ALREADY_EXISTS', 'Another workspace has this seatId or this host.', [
    { field: 'seatId', message: 'must be unique in the organization' },
    { field: 'host', message: 'must be unique in the hub' },
  ]);
}
