import { and, eq, ne } from 'drizzle-orm';
import { rejectsNeedFault } from '../../../domain/faults/index.js';
import { whatStays, type RemovalPlan } from '../../../domain/removal/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  connections,
  deliveries,
  type ConnectionRemoval,
  type Database,
  type RemovalOutcome,
  type Transaction,
} from '../../../platform/database/index.js';
import type { WorkLease } from '../../../platform/lease/index.js';
import type { FaultLog } from '../../faults/index.js';
import { requireBalance } from '../delivery-facts.js';
import type { Delivery, DeliveryOrder } from '../delivery-rows.js';
import type { Forecast } from './removal-forecast.js';

/** What a removal writes about itself. */
export class RemovalJournal {
  constructor(
    private readonly db: Database,
    private readonly lease: WorkLease,
    private readonly faults: FaultLog,
    private readonly clock: Clock,
  ) {}

  /** Gives the delivery back for a while. */
  async postpone(id: string, delayMs: number): Promise<void> {
    const notBefore = new Date(this.clock.now().getTime() + delayMs);
    await this.db
      .update(deliveries)
      .set({ state: 'queued', notBefore, leaseOwner: null, leaseUntil: null })
      .where(and(this.lease.isHeld(id), eq(deliveries.state, 'running')));
  }

  /** Says what is being done: it may be another thing than was foreseen when the connection was deleted. */
  async note({ delivery, connection }: DeliveryOrder, found: Forecast): Promise<void> {
    await this.db.transaction(async (tx) => {
      await this.lease.assertHeld(tx, delivery.id);
      await tx
        .update(connections)
        .set({ removal: { ...requestOf(connection), ...wordsOf(found, 0), outcome: null } })
        .where(eq(connections.id, connection.id));
    });
  }

  /** Ends the removal, and the connection with it. */
  async complete({ delivery: { id }, connection }: DeliveryOrder, found: Forecast): Promise<void> {
    await this.db.transaction(async (tx) => {
      await this.lease.assertHeld(tx, id);
      const [row] = await tx.select().from(deliveries).where(eq(deliveries.id, id));
      if (!row) return;
      // Who was not dealt with went with the list.
      const planned =
        found.plan.members === 'removed' ? row.planned : row.accepted + row.rejected + row.skipped;
      const counts = { ...row, planned };
      requireBalance(counts);
      const now = this.clock.now();
      await tx
        .update(deliveries)
        .set({ state: 'delivered', planned, finishedAt: now, ...ENDED })
        .where(eq(deliveries.id, id));
      const stays = found.plan.members === 'stay' || counts.rejected > 0;
      const nothing = found.plan.members === 'none' && found.plan.list === 'none';
      const outcome = stays ? 'stays' : nothing ? 'never_sent' : 'removed';
      const removal = { ...requestOf(connection), ...wordsOf(found, counts.rejected), outcome } as const;
      await endConnection(tx, connection.id, removal, now);
      await this.faults.endWithRemoval(tx, connection.id);
      await noteEnd(tx, connection, { plan: found.plan, outcome, counts });
      if (rejectsNeedFault(counts)) await this.tellOfRejects(tx, counts);
    });
  }

  private async tellOfRejects(tx: Transaction, delivery: Delivery): Promise<void> {
    const { id: deliveryId, workspaceId, connectionId, accepted, rejected, skipped } = delivery;
    const message =
      `The connection was deleted, and the partner refused to take out ${rejected} of ${accepted + rejected} ` +
      "members. See the delivery's outcomes for the reasons, and have the partner delete them.";
    const reason = { code: 'ROWS_REJECTED', message };
    await this.faults.tellOfRejects(tx, { deliveryId, workspaceId, connectionId }, reason, {
      accepted,
      rejected,
      skipped,
    });
  }
}

const ENDED = {
  notBefore: null,
  leaseOwner: null,
  leaseUntil: null,
  failures: 0,
  firstFailureAt: null,
  error: null,
} as const;

/** Makes the connection one that was. */
export async function endConnection(
  tx: Transaction,
  id: string,
  removal: ConnectionRemoval,
  now: Date,
): Promise<void> {
  await tx
    .update(connections)
    .set({ status: 'removed', removedAt: now, updatedAt: now, removal, renamePending: false })
    .where(and(eq(connections.id, id), ne(connections.status, 'removed')));
}

/** Tells the audit log how it ended. */
export async function noteEnd(
  tx: Transaction,
  {
    id,
    workspaceId,
    audienceId,
    outputId,
  }: Pick<DeliveryOrder['connection'], 'id' | 'workspaceId' | 'audienceId' | 'outputId'>,
  end: {
    plan: RemovalPlan | null;
    outcome: RemovalOutcome;
    counts?: Pick<Delivery, 'planned' | 'accepted' | 'rejected' | 'skipped'>;
  },
): Promise<void> {
  const { plan, outcome, counts } = end;
  await recordAudit(tx, {
    action: 'connection.removed',
    object: { type: 'connection', id },
    workspaceId,
    changes: {
      audienceId: { from: audienceId },
      outputId: { from: outputId },
      outcome: { to: outcome },
      ...(plan ? { plan: { to: plan } } : {}),
      ...(counts
        ? {
            members: {
              to: {
                planned: counts.planned,
                accepted: counts.accepted,
                rejected: counts.rejected,
                skipped: counts.skipped,
              },
            },
          }
        : {}),
    },
  });
}

function requestOf({ removal }: DeliveryOrder['connection']) {
  return { requestedBy: removal?.requestedBy ?? '' };
}

function wordsOf({ plan, sharers, leaves }: Forecast, refused: number) {
  const sharedWith = sharers.map(({ connectionId }) => connectionId);
  return { plan, sharedWith, stays: whatStays(plan, { sharedWith, leaves, refused }) };
}
