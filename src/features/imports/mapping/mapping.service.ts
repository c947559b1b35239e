import { Injectable } from '@nestjs/common';
import { and, desc, eq, isNull, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { sameContract, type ColumnMapping } from '../../../domain/identities/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  audienceMappings,
  audiences,
  imports,
  sources,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { readPage, type Page, type PageQuery } from '../../http/index.js';
import { scopedTo, type Principal } from '../../tenancy/index.js';
import { assertNewest } from '../newest.js';
import type { ImportProgress, ImportRow } from '../pipeline/import-work.js';

export type MappingRow = typeof audienceMappings.$inferSelect;

/** True for an import that waits for the approval of its columns. */
export function isBlocked({ state, error }: Pick<ImportRow, 'state' | 'error'>): boolean {
  return state === 'failed' && error?.code === 'MAPPING_CHANGED';
}

/** The column mapping of an audience as a contract: its versions, and the approval of a new one. */
@Injectable()
export class MappingService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
  ) {}

  /** Newest first: the first one is in force. */
  async list(principal: Principal, audienceId: number, query: PageQuery): Promise<Page<MappingRow>> {
    const [audience] = await this.db
      .select({ id: audiences.id })
      .from(audiences)
      .where(visible(principal, audienceId));
    if (audience === undefined) throw notFound('audience', audienceId);
    const where = eq(audienceMappings.audienceId, audienceId);
    return readPage(query, this.db.$count(audienceMappings, where), (limit, offset) =>
      this.db
        .select()
        .from(audienceMappings)
        .where(where)
        .orderBy(desc(audienceMappings.version))
        .limit(limit)
        .offset(offset),
    );
  }

  /**
   * Puts the mapping of a blocked import in force as the next version, and takes the import up again. One
   * transaction: a newer file either comes before it and has the last word, or finds the new mapping.
   */
  async approve(principal: Principal, audienceId: number, importId: string): Promise<ImportRow> {
    const taken = await this.db.transaction(async (tx) => {
      const [audience] = await tx
        .select()
        .from(audiences)
        .where(visible(principal, audienceId))
        .for('no key update');
      if (audience === undefined) throw notFound('audience', audienceId);
      const row = await requireBlocked(tx, audienceId, importId);
      const { report } = row.progress as ImportProgress;
      if (report === undefined) throw notBlocked(row);
      await this.putInForce(tx, audience, { mapping: report.mapping, importId, approvedBy: principal.name });
      const [queued] = await tx
        .update(imports)
        .set({ state: 'queued', step: 'fetch', progress: {}, error: null, attempts: 0, finishedAt: null })
        .where(and(eq(imports.id, importId), eq(imports.state, 'failed')))
        .returning();
      if (queued === undefined) throw notBlocked(row);
      await recordAudit(tx, {
        action: 'audience.mapping.approve',
        object: { type: 'audience', id: audienceId },
        workspaceId: audience.workspaceId,
        changes: { importId: { to: importId } },
      });
      return queued;
    });
    await this.queue.enqueue({ kind: 'import', id: taken.id });
    return taken;
  }

  private async putInForce(
    tx: Transaction,
    audience: typeof audiences.$inferSelect,
    given: { mapping: ColumnMapping; importId: string; approvedBy: string },
  ): Promise<void> {
    const locked = audience.mapping as ColumnMapping | null;
    // Approved meanwhile by way of another file with the same columns.
    if (locked !== null && sameContract(locked, given.mapping)) return;
    const audienceId = audience.id;
    const [last] = await tx
      .select({ version: audienceMappings.version })
      .from(audienceMappings)
      .where(eq(audienceMappings.audienceId, audienceId))
      .orderBy(desc(audienceMappings.version))
      .limit(1);
    const mapping = given.mapping as unknown as Record<string, unknown>;
    const { importId, approvedBy } = given;
    const approvedAt = this.clock.now();
    const version = (last?.version ?? 0) + 1;
    await tx
      .insert(audienceMappings)
      .values({ audienceId, version, mapping, importId, approvedBy, approvedAt });
    await tx.update(audiences).set({ mapping, updatedAt: approvedAt }).where(eq(audiences.id, audienceId));
  }
}

/** The blocked import, with its source locked: no scan lists a newer file of it until the transaction ends. */
async function requireBlocked(tx: Transaction, audienceId: number, importId: string): Promise<ImportRow> {
  const [row] = await tx
    .select()
    .from(imports)
    .where(and(eq(imports.id, importId), eq(imports.audienceId, audienceId)));
  if (row === undefined) throw notFound('import', importId);
  if (!isBlocked(row)) throw notBlocked(row);
  if (row.sourceId !== null) {
    await tx.select({ id: sources.id }).from(sources).where(eq(sources.id, row.sourceId)).for('update');
  }
  await assertNewest(tx, row);
  return row;
}

function visible(principal: Principal, audienceId: number): SQL | undefined {
  return and(
    eq(audiences.id, audienceId),
    isNull(audiences.deletedAt),
    scopedTo(principal, audiences.workspaceId),
  );
}

function notBlocked({ state }: Pick<ImportRow, 'state'>): HubError {
  return new HubError(
    'WRONG_STATE',
    `The import is ${state}, and not blocked for its columns: expected one that failed with MAPPING_CHANGED. GET /imports?audienceId= lists them.`,
  );
}
