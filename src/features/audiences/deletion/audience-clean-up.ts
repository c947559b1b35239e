import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { and, eq, isNotNull, lt } from 'drizzle-orm';
import type { Clock } from '../../../platform/clock/index.js';
import { audiences, type Database } from '../../../platform/database/index.js';
import { Leases } from '../../../platform/lease/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { Ledger } from '../../ledger/index.js';
import { CLEAN_UP } from './audience-deletion.js';

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
      .where(lt(audiences.deletedAt, before))
      .limit(LIMIT);
    for (const { id } of rows) await this.queue.enqueue({ kind: CLEAN_UP, id: String(id) });
  }

  /** Cleans one audience up; leaves it alone where it is visible, or a copy is being made of it elsewhere. */
  async run(id: number): Promise<void> {
    const owner = randomUUID();
    const name = hiddenAudienceLease(id);
    if (!(await this.leases.acquire(name, owner))) return;
    try {
      if (!(await this.isHidden(id))) return;
      await this.ledger.discardAbove(id, 0);
      await this.db.delete(audiences).where(hidden(id));
    } finally {
      await this.leases.release(name, owner);
    }
  }

  private async isHidden(id: number): Promise<boolean> {
    const rows = await this.db.select({ id: audiences.id }).from(audiences).where(hidden(id));
    return rows.length > 0;
  }
}

function hidden(id: number) {
  return and(eq(audiences.id, id), isNotNull(audiences.deletedAt));
}
