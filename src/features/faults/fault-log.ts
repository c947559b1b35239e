import { Injectable } from '@nestjs/common';
import { and, eq, isNull, ne, sql, type SQL } from 'drizzle-orm';
import { nextProbeAtMs } from '../../domain/faults/index.js';
import type { ConnectorError } from '../../kit/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { connections, faults, type Database, type Transaction } from '../../platform/database/index.js';
import { InjectClock } from '../../platform/nest/index.js';
import { FaultMail } from './fault-mail.js';

export type Fault = typeof faults.$inferSelect;

/** What a fault is about. */
export interface FaultSubject {
  workspaceId: string;
  connectionId: string;
  deliveryId: string;
}

/** Why, for people: counts, moments and statuses. No secrets, no personal data. */
export type FaultDetail = Record<string, string | number | null>;

/** `resolvedBy` of a fault that a probe resolved. */
export const RESOLVED_BY_PROBE = 'probe';

/** `resolvedBy` of a fault that ended because its connection was deleted. */
export const RESOLVED_BY_REMOVAL = 'removal';

/**
 * Writes fault rows, always inside the transaction of the change they belong to. Faults of the kind
 * `permanent` tell of refused rows and stop nothing; every other open fault stops its connection.
 *
 * Transactions that touch several tables lock them in the order deliveries, connections, faults.
 */
@Injectable()
export class FaultLog {
  constructor(
    @InjectClock() private readonly clock: Clock,
    private readonly mail: FaultMail,
  ) {}

  /** Stops the connection with a fault. One that was paused meanwhile stays paused. */
  async stop(
    tx: Transaction,
    subject: FaultSubject,
    error: ConnectorError,
    detail: FaultDetail,
    probeAtMs: number | undefined,
  ): Promise<void> {
    await tx
      .update(connections)
      .set({ status: 'faulted', updatedAt: this.clock.now() })
      .where(and(eq(connections.id, subject.connectionId), eq(connections.status, 'active')));
    const nextProbeAt = probeAtMs === undefined ? null : new Date(probeAtMs);
    const [raised] = await tx
      .insert(faults)
      .values({ ...subject, ...namedBy(error), detail, raisedAt: this.clock.now(), nextProbeAt })
      .returning();
    if (raised) await this.mail.raised(tx, raised);
  }

  /** Has the mails about it sent. After the transaction. */
  sendMail(): Promise<void> {
    return this.mail.send();
  }

  /** Tells of refused rows; the connection goes on. One such fault is open a connection, with the newest facts. */
  async tellOfRejects(
    tx: Transaction,
    subject: FaultSubject,
    reason: { code: string; message: string },
    detail: FaultDetail,
  ): Promise<void> {
    const newest = { deliveryId: subject.deliveryId, ...reason, detail };
    const updated = await tx
      .update(faults)
      .set(newest)
      .where(and(openOf(subject.connectionId), eq(faults.kind, 'permanent')))
      .returning({ id: faults.id });
    if (updated.length > 0) return;
    const [raised] = await tx
      .insert(faults)
      .values({ ...subject, ...newest, kind: 'permanent', raisedAt: this.clock.now() })
      .returning();
    if (raised) await this.mail.raised(tx, raised);
  }

  /** Resolves what stops the connection because a probe got through. */
  async resolveByProbe(tx: Transaction, connectionId: string): Promise<void> {
    await tx
      .update(connections)
      .set({ status: 'active', updatedAt: this.clock.now() })
      .where(and(eq(connections.id, connectionId), eq(connections.status, 'faulted')));
    const resolved = await tx
      .update(faults)
      .set({ resolvedAt: this.clock.now(), resolvedBy: RESOLVED_BY_PROBE, nextProbeAt: null })
      .where(stopping(connectionId))
      .returning();
    for (const fault of resolved) {
      const { id, workspaceId, code } = fault;
      const object = { type: 'fault', id };
      await recordAudit(tx, {
        action: 'fault.resolved',
        object,
        workspaceId,
        changes: { code: { from: code } },
      });
      await this.mail.recovered(tx, fault, undefined);
    }
  }

  /** What was wrong with the connection matters no more: it is being removed, or was. */
  async endWithRemoval(tx: Transaction, connectionId: string): Promise<void> {
    await tx
      .update(faults)
      .set({ resolvedAt: this.clock.now(), resolvedBy: RESOLVED_BY_REMOVAL, nextProbeAt: null })
      .where(openOf(connectionId));
  }

  /** Whether a fault stops the connection. */
  async isStopped(db: Database, connectionId: string): Promise<boolean> {
    return (await db.$count(faults, stopping(connectionId))) > 0;
  }

  /** A probe failed: the fault says the newest reason, and the next probe comes later. */
  async noteFailedProbe(
    tx: Transaction,
    connectionId: string,
    error: ConnectorError,
    random: number,
  ): Promise<void> {
    const open = await tx.select().from(faults).where(stopping(connectionId)).for('update');
    const nowMs = this.clock.now().getTime();
    for (const { id, probes } of open) {
      const ownMs = nextProbeAtMs(error.kind, probes + 1, nowMs, random);
      const atMs = ownMs === undefined ? undefined : Math.max(ownMs, nowMs + (error.retryAfterMs ?? 0));
      await tx
        .update(faults)
        .set({
          ...namedBy(error),
          probes: probes + 1,
          nextProbeAt: atMs === undefined ? null : new Date(atMs),
          detail: sql`${faults.detail} || ${JSON.stringify({ lastProbeAt: this.clock.now().toISOString() })}::jsonb`,
        })
        .where(eq(faults.id, id));
    }
  }
}

function namedBy({ kind, code, message }: ConnectorError) {
  return { kind, code, message };
}

function openOf(connectionId: string): SQL | undefined {
  return and(eq(faults.connectionId, connectionId), isNull(faults.resolvedAt));
}

function stopping(connectionId: string): SQL | undefined {
  return and(openOf(connectionId), ne(faults.kind, 'permanent'));
}
