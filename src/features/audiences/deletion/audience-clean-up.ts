import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { and, eq, isNotNull, lt, notExists, sql } from 'drizzle-orm';
import { CLEAN_UP } from '../../../domain/audiences/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import { audiences, connections, erasureReceipts, type Database } from '../../../platform/database/index.js';
import { Leases } from '../../../platform/lease/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { Ledger } from '../../ledger/index.js';
import { keepRemovals } from './audience-removals.js';

/** Audiences a sweep looks at; the rest waits for the next one. */
const LIMIT = 500;

/** The right to write or delete members of a hidden audience. */
export function hiddenAudienceLease(id: number): string {
  return `hidden-audience:${id}`;
}

/**
 * Deletes the members and then the row of audiences that were hidden: deleted ones, and copies whose process
 * died. The row goes last, so that work cut short is found again.
 */
@Injectable()
export class AudienceCleanUp {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    private readonly leases: Leases,
    private readonly ledger: Ledger,
  ) {}

  /**
   * Queues what is left to clean up, at start-up and every minute. Not what was hidden just now: it has its
   * hint, or is a copy that is about to take its lease.
   */
  async sweep(): Promise<void> {
    const before = new Date(this.clock.now().getTime() - this.leases.leaseMs);
    const rows = await this.db
      .select({ id: audiences.id })
      .from(audiences)
      .where(and(lt(audiences.deletedAt, before), notExists(removingOf(this.db))))
      .limit(LIMIT);
    for (const { id } of rows) await this.queue.enqueue({ kind: CLEAN_UP, id: String(id) });
  }

  /** Cleans one audience up; leaves it alone where it is visible, or a copy is being made of it elsewhere. */
  async run(id: number): Promise<void> {
    const owner = randomUUID();
    const name = hiddenAudienceLease(id);
    if (!(await this.leases.acquire(name, owner))) return;
    try {
      if (!(await this.isHidden(id)) || (await this.isBeingRemoved(id))) return;
      await this.ledger.discardAbove(id, 0);
      await this.db.transaction(async (tx) => {
        await keepRemovals(tx, id);
        await tx.delete(audiences).where(hidden(id));
      });
    } finally {
      await this.leases.release(name, owner);
    }
  }

  /**
   * Who is to be taken out at the partners is known by the members, and receipts of erasures tell what came of it. The
   * end of a removal, and the sweep, call this again.
   */
  private async isBeingRemoved(id: number): Promise<boolean> {
    const removing = and(eq(connections.audienceId, id), eq(connections.status, 'removing'));
    const waiting = and(eq(erasureReceipts.audienceId, id), eq(erasureReceipts.state, 'waiting'));
    if ((await this.db.$count(connections, removing)) > 0) return true;
    return (await this.db.$count(erasureReceipts, waiting)) > 0;
  }

  private async isHidden(id: number): Promise<boolean> {
    const rows = await this.db.select({ id: audiences.id }).from(audiences).where(hidden(id));
    return rows.length > 0;
  }
}

/** For `notExists`: connections of the audience of the outer query that are being removed. */
function removingOf(db: Database) {
  return db
    .select({ one: sql`1` })
    .from(connections)
    .where(and(eq(connections.audienceId, audiences.id), eq(connections.status, 'removing')));
}

function hidden(id: number) {
  return and(eq(audiences.id, id), isNotNull(audiences.deletedAt));
}
