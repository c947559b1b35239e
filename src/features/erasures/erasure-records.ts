import { Injectable } from '@nestjs/common';
import { and, asc, desc, eq, inArray } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { erasureReceipts, erasures, type Database } from '../../platform/database/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { mapPage, readPage, type Page } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import {
  showErasure,
  type ErasuresQuery,
  type ErasureView,
  type ErasureWithReceiptsView,
} from './erasures.dto.js';

/** Looking at erasures, and deciding about those that wait. */
@Injectable()
export class ErasureRecords {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
  ) {}

  async list(principal: Principal, query: ErasuresQuery): Promise<Page<ErasureView>> {
    const where = and(
      scopedTo(principal, erasures.workspaceId),
      query.workspaceId ? eq(erasures.workspaceId, query.workspaceId) : undefined,
      query.state ? eq(erasures.state, query.state) : undefined,
      query.kind ? eq(erasures.kind, query.kind) : undefined,
    );
    const page = await readPage(query, this.db.$count(erasures, where), (limit, offset) =>
      this.db
        .select()
        .from(erasures)
        .where(where)
        .orderBy(desc(erasures.createdAt), erasures.id)
        .limit(limit)
        .offset(offset),
    );
    return mapPage(page, (row) => showErasure(row));
  }

  async get(principal: Principal, id: string): Promise<ErasureWithReceiptsView> {
    const row = await this.require(principal, id);
    return showErasure(row, await this.receipts(id));
  }

  /** What every connection did, oldest audience first. */
  private receipts(erasureId: string) {
    return this.db
      .select()
      .from(erasureReceipts)
      .where(eq(erasureReceipts.erasureId, erasureId))
      .orderBy(asc(erasureReceipts.audienceId), asc(erasureReceipts.connectionId));
  }

  /** Waits no longer for receipts: those of the connections, or all. WRONG_STATE where none of them waits. */
  async waive(
    principal: Principal,
    id: string,
    connectionIds: readonly string[] | undefined,
  ): Promise<ErasureWithReceiptsView> {
    const { workspaceId } = await this.require(principal, id);
    await this.db.transaction(async (tx) => {
      const waived = await tx
        .update(erasureReceipts)
        .set({ state: 'waived', waivedBy: principal.name, settledAt: this.clock.now() })
        .where(
          and(
            eq(erasureReceipts.erasureId, id),
            eq(erasureReceipts.state, 'waiting'),
            connectionIds === undefined
              ? undefined
              : inArray(erasureReceipts.connectionId, [...connectionIds]),
          ),
        )
        .returning({ connectionId: erasureReceipts.connectionId });
      if (waived.length === 0) {
        throw new HubError('WRONG_STATE', 'None of these receipts waits. GET /erasures/:id shows which do.');
      }
      await recordAudit(tx, {
        action: 'erasure.waive',
        object: { type: 'erasure', id },
        workspaceId,
        changes: { connectionIds: { to: waived.map(({ connectionId }) => connectionId) } },
      });
    });
    await this.queue.enqueue({ kind: 'erasure', id });
    return this.get(principal, id);
  }

  /** Begins a failed one again where it stopped. */
  async retry(principal: Principal, id: string): Promise<ErasureWithReceiptsView> {
    const { workspaceId, state } = await this.require(principal, id);
    const again = await this.db.transaction(async (tx) => {
      const rows = await tx
        .update(erasures)
        .set({ state: 'queued', failures: 0, error: null })
        .where(and(eq(erasures.id, id), eq(erasures.state, 'failed')))
        .returning({ id: erasures.id });
      if (rows.length === 0) return false;
      await recordAudit(tx, { action: 'erasure.retry', object: { type: 'erasure', id }, workspaceId });
      return true;
    });
    if (!again)
      throw new HubError('WRONG_STATE', `The erasure is ${state}; only a failed one is tried again.`);
    await this.queue.enqueue({ kind: 'erasure', id });
    return this.get(principal, id);
  }

  private async require(principal: Principal, id: string) {
    const [row] = await this.db
      .select()
      .from(erasures)
      .where(and(eq(erasures.id, id), scopedTo(principal, erasures.workspaceId)));
    if (!row) throw notFound('erasure', id);
    return row;
  }
}
