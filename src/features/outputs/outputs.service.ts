import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { and, asc, eq, getTableColumns, ne, sql, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { ContextFactory } from '../../host/context/index.js';
import { changesOf, recordAudit } from '../../platform/audit/index.js';
import {
  audiences,
  connections,
  outputs,
  type Database,
  type Transaction,
} from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import { ConnectorSettings, runCheck, type CheckView } from '../connectors/index.js';
import { readPage, type Page } from '../http/index.js';
import { scopedTo, WorkspaceScope, type Principal } from '../tenancy/index.js';
import type { CreateOutput, Output, OutputCounts, OutputsQuery, UpdateOutput } from './outputs.dto.js';

/** Connections that a refusal names at most. */
const MAX_LISTED = 100;

/** The row with what hangs on it. Written out, because Drizzle leaves the table's name off in a sub-query. */
const WITH_COUNTS = {
  ...getTableColumns(outputs),
  connectedAudiences: sql<number>`(select count(distinct c.audience_id)::int from connections c where c.output_id = outputs.id and c.status not in ('removing', 'removed'))`,
  openFaults: sql<number>`(select count(*)::int from faults f join connections c on c.id = f.connection_id where c.output_id = outputs.id and f.resolved_at is null)`,
};

/** Configured output connectors. */
@Injectable()
export class OutputsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly scope: WorkspaceScope,
    private readonly connectors: ConnectorSettings,
    private readonly contexts: ContextFactory,
  ) {}

  async create(principal: Principal, given: CreateOutput): Promise<Output & OutputCounts> {
    await this.scope.requireWorkspace(principal, given.workspaceId);
    const id = randomUUID();
    const { workspaceId, plugin, name } = given;
    const connector = { id, plugin, settings: given.settings ?? {}, credentials: given.credentials ?? {} };
    const prepared = await this.connectors.prepare('output', connector);
    const row = await this.db.transaction(async (tx) => {
      const [made] = await tx
        .insert(outputs)
        .values({ id, workspaceId, plugin, name, ...prepared })
        .returning();
      if (!made) throw notFound('output', id);
      await note(tx, 'create', undefined, made);
      return made;
    });
    return { ...row, connectedAudiences: 0, openFaults: 0 };
  }

  async list(principal: Principal, query: OutputsQuery): Promise<Page<Output & OutputCounts>> {
    const where = and(
      scopedTo(principal, outputs.workspaceId),
      query.workspaceId ? eq(outputs.workspaceId, query.workspaceId) : undefined,
    );
    return readPage(query, this.db.$count(outputs, where), (limit, offset) =>
      this.db
        .select(WITH_COUNTS)
        .from(outputs)
        .where(where)
        .orderBy(asc(outputs.name), asc(outputs.id))
        .limit(limit)
        .offset(offset),
    );
  }

  /** The output, or NOT_FOUND where it does not exist or `principal` may not see it. */
  async get(principal: Principal, id: string): Promise<Output & OutputCounts> {
    const [row] = await this.db.select(WITH_COUNTS).from(outputs).where(one(principal, id));
    if (!row) throw notFound('output', id);
    return row;
  }

  async update(principal: Principal, id: string, given: UpdateOutput): Promise<Output & OutputCounts> {
    const current = await this.get(principal, id);
    const touched = given.settings !== undefined || given.credentials !== undefined;
    const connector = {
      id,
      plugin: current.plugin,
      settings: given.settings ?? current.settings,
      credentials: given.credentials,
    };
    const prepared = touched
      ? await this.connectors.prepare('output', connector, current.credentials)
      : { settings: current.settings, credentials: current.credentials };
    await this.db.transaction(async (tx) => {
      const [row] = await tx
        .update(outputs)
        .set({ ...prepared, name: given.name ?? current.name, updatedAt: sql`now()` })
        .where(one(principal, id))
        .returning();
      if (row) await note(tx, 'update', current, row);
    });
    return this.get(principal, id);
  }

  /** Refused while audiences are connected, unless `force`: then their connections go with it. */
  async delete(principal: Principal, id: string, force: boolean): Promise<void> {
    const current = await this.get(principal, id);
    await this.db.transaction(async (tx) => {
      // Locked, so that no connection can appear between the look and the deletion.
      await tx.select().from(outputs).where(one(principal, id)).for('update');
      const connected = await tx
        .select({
          id: connections.id,
          status: connections.status,
          audienceId: connections.audienceId,
          audience: audiences.name,
        })
        .from(connections)
        .innerJoin(audiences, eq(audiences.id, connections.audienceId))
        .where(and(eq(connections.outputId, id), ne(connections.status, 'removed')))
        .orderBy(asc(connections.createdAt))
        .limit(MAX_LISTED);
      if (connected.length > 0 && !force) {
        throw new HubError(
          'IN_USE',
          'Audiences are connected to this output. Delete their connections first, or call again with ?force=true: then ' +
            'what they had sent stays at the partner.',
          connected.map((row) => ({
            field: `connection ${row.id}`,
            message:
              `audience ${row.audienceId} (${row.audience})` +
              (row.status === 'removing' ? ', which is being removed at the partner' : ''),
          })),
        );
      }
      await tx.delete(outputs).where(eq(outputs.id, id));
      await note(tx, 'delete', current, undefined);
    });
  }

  async check(principal: Principal, id: string): Promise<CheckView> {
    const row = await this.get(principal, id);
    return runCheck(() => this.contexts.output(row));
  }
}

/** Of settings and credentials only the names of what changed. */
async function note(
  tx: Transaction,
  verb: 'create' | 'update' | 'delete',
  before: typeof outputs.$inferSelect | undefined,
  after: typeof outputs.$inferSelect | undefined,
): Promise<void> {
  const { id, workspaceId } = after ?? before ?? {};
  await recordAudit(tx, {
    action: `output.${verb}`,
    object: { type: 'output', id },
    workspaceId,
    changes: changesOf(before, after, { shown: ['plugin', 'name'], named: ['settings', 'credentials'] }),
  });
}

function one(principal: Principal, id: string): SQL | undefined {
  return and(eq(outputs.id, id), scopedTo(principal, outputs.workspaceId));
}
