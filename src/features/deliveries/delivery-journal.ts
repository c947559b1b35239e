import { and, eq, isNull, max } from 'drizzle-orm';
import { nextStep, rejectsNeedFault } from '../../domain/faults/index.js';
import type { ConnectorError } from '../../kit/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  abVariants,
  audiences,
  connections,
  deliveries,
  deliveryBatches,
  PARKED_UNTIL,
  type ConnectionStatus,
  type Database,
  type DeliveryCursor,
  type Transaction,
} from '../../platform/database/index.js';
import type { WorkLease } from '../../platform/lease/index.js';
import type { Metrics } from '../../platform/metrics/index.js';
import type { FaultLog } from '../faults/index.js';
import type { Attempt } from './course-options.js';
import { detailOf, factsOf, requireBalance, subjectOf } from './delivery-facts.js';
import { FRESH_WHOLE, partnerNameOf, type Delivery, type DeliveryOrder } from './delivery-rows.js';
import type { FinishedStep } from './partner-side.js';
import { rowsOfSteps, saveSql, statusIn, sumOf } from './save-batches.js';
import { noteSentAgain } from './sends-again.js';

/** What the row says after the change: when to try again, if at all. */
export type AfterFailure = { state: 'queued'; delayMs: number } | { state: 'faulted' };

const FREE = { leaseOwner: null, leaseUntil: null } as const;
const NO_FAILURE = { failures: 0, firstFailureAt: null, error: null } as const;

/** Bounds of the time until a partner is asked for its jobs again, whatever the connector says. */
const [LEAST_WAIT_MS, LONGEST_WAIT_MS] = [1000, 3_600_000];

/**
 * What a running delivery writes about itself. Every change is one transaction that first makes sure that the
 * lease is still ours; a process that dies between two of them has lost nothing but the batches it had not
 * written down, and those are sent again under the same ids.
 */
export class DeliveryJournal {
  constructor(
    private readonly db: Database,
    private readonly lease: WorkLease,
    private readonly faults: FaultLog,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly random: () => number = Math.random,
  ) {}

  /** Says what will be sent and where sending begins. */
  async plan(id: string, planned: number, cursor: DeliveryCursor): Promise<void> {
    const [row] = await this.db
      .update(deliveries)
      .set({ planned, cursor })
      .where(this.lease.isHeld(id))
      .returning({ id: deliveries.id });
    if (!row) throw this.lease.lost(id);
  }

  /** Forgets what was sent of a whole state. What it plans stays. */
  async beginAnew(id: string): Promise<Pick<Delivery, 'cursor' | 'accepted' | 'rejected' | 'skipped'>> {
    const start = { cursor: FRESH_WHOLE, accepted: 0, rejected: 0, skipped: 0 };
    await this.held(id, async (tx) => {
      await tx.delete(deliveryBatches).where(eq(deliveryBatches.deliveryId, id));
      await tx.update(deliveries).set(start).where(eq(deliveries.id, id));
    });
    return start;
  }

  /** Keeps the partner's id of the audience, and whether it was made there. The first one stays. */
  async keepExternalId(connectionId: string, externalId: string, listMade: boolean): Promise<void> {
    await this.db
      .update(connections)
      .set({ externalId, listMade })
      .where(and(eq(connections.id, connectionId), isNull(connections.externalId)));
  }

  /** It may be made at the partner by now, under a name that was the audience's then. Until {@link keepName}. */
  async doubtName(connectionId: string): Promise<void> {
    await this.db.update(connections).set({ renamePending: true }).where(eq(connections.id, connectionId));
  }

  /** The partner knows the audience by `name`; if it was given another one meanwhile, that is to be told next. */
  async keepName(connectionId: string, name: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      const [row] = await tx
        .select({ audience: audiences, variant: abVariants })
        .from(connections)
        .innerJoin(audiences, eq(audiences.id, connections.audienceId))
        .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
        .where(eq(connections.id, connectionId))
        .for('share', { of: audiences });
      if (!row) return;
      await tx
        .update(connections)
        .set({ renamePending: partnerNameOf(row) !== name })
        .where(eq(connections.id, connectionId));
    });
  }

  /** Position for the next row of batches. */
  async nextPosition(id: string): Promise<number> {
    const [row] = await this.db
      .select({ last: max(deliveryBatches.position) })
      .from(deliveryBatches)
      .where(eq(deliveryBatches.deliveryId, id));
    return (row?.last ?? 0) + 1;
  }

  /**
   * Writes finished steps and the cursor behind them, in one statement: a fast partner makes this often. `probing`:
   * something got through to a faulted partner, which resolves the fault. Returns the connection's status, by which
   * the delivery goes on or stops.
   */
  async save(
    { delivery, connection, output }: DeliveryOrder,
    steps: readonly FinishedStep[],
    firstPosition: number,
    probing: boolean,
  ): Promise<ConnectionStatus> {
    const rows = rowsOfSteps(firstPosition, steps);
    const cursor = steps.at(-1)?.cursorAfter ?? delivery.cursor;
    const statement = saveSql(this.lease.isHeld(delivery.id), cursor, rows);
    const status = probing
      ? await this.db.transaction(async (tx) => {
          const saved = statusIn(await tx.execute(statement), this.lease, delivery.id);
          await this.faults.resolveByProbe(tx, connection.id);
          return saved;
        })
      : statusIn(await this.db.execute(statement), this.lease, delivery.id);
    if (probing) await this.faults.sendMail();
    for (const outcome of ['accepted', 'rejected', 'skipped'] as const) {
      this.metrics.deliveryMembers.inc({ outcome, plugin: output.plugin }, sumOf(rows, outcome));
    }
    return status;
  }

  /**
   * Leaves the delivery where it is because its connection was paused. Returns false where the connection was
   * activated meanwhile, so that the delivery is to be queued.
   */
  async park({ delivery, connection }: DeliveryOrder): Promise<boolean> {
    return this.held(delivery.id, async (tx) => {
      const paused = (await statusOf(tx, connection.id)) === 'inactive';
      await tx
        .update(deliveries)
        .set({ state: 'queued', notBefore: paused ? PARKED_UNTIL : null, ...FREE })
        .where(eq(deliveries.id, delivery.id));
      return paused;
    });
  }

  /**
   * Leaves the delivery where it is until the partner is asked for its jobs; `probing`: a faulted partner took
   * something, or is at work on it, which resolves the fault. Failures are not forgotten: jobs that fail time and again
   * have to become a fault. Returns milliseconds until then.
   */
  async wait({ delivery, connection }: DeliveryOrder, waitMs: number, probing: boolean): Promise<number> {
    const delayMs = Math.min(Math.max(waitMs, LEAST_WAIT_MS), LONGEST_WAIT_MS);
    const notBefore = new Date(this.clock.now().getTime() + delayMs);
    await this.held(delivery.id, async (tx) => {
      await tx
        .update(deliveries)
        .set({ state: 'queued', notBefore, ...FREE, ...(probing ? NO_FAILURE : {}) })
        .where(eq(deliveries.id, delivery.id));
      if (probing) await this.faults.resolveByProbe(tx, connection.id);
    });
    if (probing) await this.faults.sendMail();
    return delayMs;
  }

  async cancel(id: string): Promise<void> {
    await this.held(id, (tx) =>
      tx
        .update(deliveries)
        .set({ state: 'cancelled', finishedAt: this.clock.now(), ...FREE })
        .where(eq(deliveries.id, id)),
    );
  }

  /** Ends the delivery and brings the connection to its version. */
  async complete({ delivery, connection, audience }: DeliveryOrder, probing: boolean): Promise<void> {
    const { id, toVersion, toIdentities } = delivery;
    await this.held(id, async (tx) => {
      const [counts] = await tx.select().from(deliveries).where(eq(deliveries.id, id));
      if (!counts) return;
      requireBalance(counts);
      const finishedAt = this.clock.now();
      const done = { state: 'delivered', finishedAt, notBefore: null, ...FREE, ...NO_FAILURE } as const;
      await tx.update(deliveries).set(done).where(eq(deliveries.id, id));
      await tx
        .update(connections)
        .set({ deliveredVersion: toVersion, deliveredIdentities: toIdentities, updatedAt: finishedAt })
        .where(eq(connections.id, connection.id));
      await noteSentAgain(tx, counts);
      await recordAudit(tx, {
        action: 'delivery.delivered',
        object: { type: 'delivery', id },
        workspaceId: counts.workspaceId,
        changes: factsOf({ ...counts, connectionId: connection.id }),
      });
      if (probing) await this.faults.resolveByProbe(tx, connection.id);
      if (!rejectsNeedFault(counts)) return;
      const { accepted, rejected, skipped } = counts;
      const reason = {
        code: 'ROWS_REJECTED',
        message:
          `The partner refused ${rejected} of ${accepted + rejected} members of audience ${audience.id}, ` +
          `version ${toVersion}. See the delivery's outcomes for the reasons, and mend the data.`,
      };
      await this.faults.tellOfRejects(tx, subjectOf(counts), reason, { accepted, rejected, skipped });
    });
  }

  /** Follows the fault policy after a call failed. */
  async fail(
    { delivery, connection }: DeliveryOrder,
    error: ConnectorError,
    { probing, reached }: Attempt,
  ): Promise<AfterFailure> {
    const after = await this.held(delivery.id, async (tx): Promise<AfterFailure> => {
      const [row] = await tx.select().from(deliveries).where(eq(deliveries.id, delivery.id));
      const now = this.clock.now();
      const failures = (row?.failures ?? 0) + 1;
      const firstFailureAt = row?.firstFailureAt ?? now;
      const { kind, code, message, retryAfterMs } = error;
      // As it was before this try, where that has left nothing behind.
      const touchedAt = reached ? row?.touchedAt : delivery.touchedAt;
      const failed = { failures, firstFailureAt, error: { kind, code, message }, touchedAt, ...FREE };
      const firstFailureAtMs = firstFailureAt.getTime();
      const next = nextStep({ kind, failures, firstFailureAtMs, retryAfterMs }, now.getTime(), this.random());
      if (next.action === 'retry' && !probing) {
        const again = { state: 'queued', notBefore: new Date(next.atMs), ...failed } as const;
        await tx.update(deliveries).set(again).where(eq(deliveries.id, delivery.id));
        return { state: 'queued', delayMs: next.atMs - now.getTime() };
      }
      const stopped = { state: 'faulted', notBefore: null, ...failed } as const;
      await tx.update(deliveries).set(stopped).where(eq(deliveries.id, delivery.id));
      // A failed probe leaves it as it was: stopped, which is noted already.
      if (!probing) await noteFault(tx, delivery, code);
      if (probing) await this.faults.noteFailedProbe(tx, connection.id, error, this.random());
      else {
        const probeAtMs = next.action === 'fault' ? next.nextProbeAtMs : undefined;
        await this.faults.stop(
          tx,
          subjectOf(delivery),
          error,
          detailOf(error, failures, firstFailureAt),
          probeAtMs,
        );
      }
      return { state: 'faulted' };
    });
    if (after.state === 'faulted') await this.faults.sendMail();
    return after;
  }

  private held<T>(id: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await this.lease.assertHeld(tx, id);
      return work(tx);
    });
  }
}

async function noteFault(tx: Transaction, delivery: Delivery, code: string): Promise<void> {
  await recordAudit(tx, {
    action: 'delivery.faulted',
    object: { type: 'delivery', id: delivery.id },
    workspaceId: delivery.workspaceId,
    outcome: 'failed',
    code,
    changes: { connectionId: { to: delivery.connectionId } },
  });
}

async function statusOf(tx: Transaction, connectionId: string): Promise<ConnectionStatus> {
  const [row] = await tx
    .select({ status: connections.status })
    .from(connections)
    .where(eq(connections.id, connectionId));
  return row?.status ?? 'inactive';
}
