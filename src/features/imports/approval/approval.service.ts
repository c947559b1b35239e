import { Injectable } from '@nestjs/common';
import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import {
  audiences,
  imports,
  type ApprovedBy,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import { InjectDatabase, InjectWarehouse, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { scopedTo, type Principal } from '../../tenancy/index.js';
import { dropWorkTables } from '../sql/tables.js';
import { REJECTED, waitsForApproval } from './approval-problems.js';

type Decision = 'approved' | 'rejected';
type AudienceRow = typeof audiences.$inferSelect;

/** The decision about audiences that somebody has to approve before they are published. It is made once. */
@Injectable()
export class ApprovalService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectWarehouse() private readonly warehouse: Warehouse,
  ) {}

  /** The import that waits for it goes on to be published; one still under way will not wait. */
  async approve(principal: Principal, audienceId: number): Promise<void> {
    const waiting = await this.db.transaction(async (tx) => {
      await this.decide(tx, principal, audienceId, 'approved');
      return this.move(tx, audienceId, { state: 'queued', error: null, attempts: 0, finishedAt: null });
    });
    for (const id of waiting) await this.queue.enqueue({ kind: 'import', id });
  }

  /** Nothing of its file is ever published. */
  async reject(principal: Principal, audienceId: number): Promise<void> {
    const ended = await this.db.transaction(async (tx) => {
      await this.decide(tx, principal, audienceId, 'rejected');
      const finishedAt = sql`now()` as unknown as Date;
      return this.move(tx, audienceId, { state: 'discarded', error: REJECTED, finishedAt });
    });
    for (const id of ended) await dropWorkTables(this.warehouse, id);
  }

  private async decide(
    tx: Transaction,
    principal: Principal,
    id: number,
    decision: Decision,
  ): Promise<AudienceRow> {
    const [audience] = await tx
      .select()
      .from(audiences)
      .where(
        and(eq(audiences.id, id), isNull(audiences.deletedAt), scopedTo(principal, audiences.workspaceId)),
      )
      .for('update');
    if (!audience) throw notFound('audience', id);
    if (audience.approval !== 'needed') {
      const state = audience.approval ?? 'not one that has to be approved';
      throw new HubError('WRONG_STATE', `The audience is ${state}; only one that waits can be ${decision}.`);
    }
    await tx
      .update(audiences)
      .set({ approval: decision, approvedBy: approverOf(principal), updatedAt: sql`now()` })
      .where(eq(audiences.id, id));
    return audience;
  }

  /** Moves the imports that are held for the decision; returns which. */
  private async move(
    tx: Transaction,
    audienceId: number,
    set: Partial<typeof imports.$inferSelect>,
  ): Promise<string[]> {
    const held = await tx
      .select()
      .from(imports)
      .where(and(eq(imports.audienceId, audienceId), eq(imports.state, 'held')))
      .for('update');
    const ids = held.filter((row) => waitsForApproval(row)).map(({ id }) => id);
    if (ids.length > 0) await tx.update(imports).set(set).where(inArray(imports.id, ids));
    return ids;
  }
}

function approverOf({ user, name }: Principal): ApprovedBy {
  return user ? { name: user.name, email: user.email } : { name, email: '' };
}
