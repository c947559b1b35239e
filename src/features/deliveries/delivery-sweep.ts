import { and, eq, inArray, isNull, lte } from 'drizzle-orm';
import type { Clock } from '../../platform/clock/index.js';
import { connections, deliveries, faults, type Database } from '../../platform/database/index.js';
import type { WorkLease } from '../../platform/lease/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { DeliveryPlanner } from './delivery-planner.js';
import type { LearnedIdentities } from './learned-identities.js';
import type { RemovalPlanner } from './removal/removal-planner.js';

/** Most rows of one sort that a sweep takes up; the next sweep takes the rest. */
const SWEEP_LIMIT = 1000;

/** Takes up what a dead process, a lost hint or a fault left lying. May run anywhere, at any time. */
export class DeliverySweep {
  constructor(
    private readonly parts: {
      db: Database;
      lease: WorkLease;
      planner: DeliveryPlanner;
      removals: RemovalPlanner;
      learning: LearnedIdentities;
      queue: WorkQueue;
      clock: Clock;
    },
  ) {}

  async run(): Promise<void> {
    const { lease, planner, learning, queue, removals } = this.parts;
    await planner.wakeAll();
    await learning.wakeAll();
    await removals.wakeAll();
    await this.releaseProbes();
    for (const id of await lease.due(SWEEP_LIMIT)) await queue.enqueue({ kind: 'delivery', id });
  }

  /**
   * Queues the deliveries of faulted connections whose probe is due. The runner sees that the connection is
   * still faulted, sends one batch and waits for it before it believes that the partner is back.
   */
  private async releaseProbes(): Promise<void> {
    const { db, clock } = this.parts;
    const due = await db
      .select({ id: deliveries.id })
      .from(faults)
      .innerJoin(connections, eq(connections.id, faults.connectionId))
      .innerJoin(deliveries, eq(deliveries.connectionId, connections.id))
      .where(
        and(
          isNull(faults.resolvedAt),
          lte(faults.nextProbeAt, clock.now()),
          inArray(connections.status, ['faulted', 'removing']),
          eq(deliveries.state, 'faulted'),
        ),
      )
      .limit(SWEEP_LIMIT);
    for (const { id } of due) {
      await db
        .update(deliveries)
        .set({ state: 'queued', notBefore: null })
        .where(and(eq(deliveries.id, id), eq(deliveries.state, 'faulted')));
    }
  }
}
