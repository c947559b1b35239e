import { Injectable } from '@nestjs/common';
import { and, desc, eq, inArray, isNotNull, isNull, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { LIST_GONE } from '../../kit/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  connections,
  deliveries,
  faults,
  OPEN_DELIVERY_STATES,
  PARKED_UNTIL,
  type Database,
  type Transaction,
} from '../../platform/database/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { readPage, type Page } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import type { Fault } from './fault-log.js';
import { FaultMail } from './fault-mail.js';
import type { FaultRow, FaultsQuery } from './faults.dto.js';

/** Faults as people see and resume them. */
@Injectable()
export class FaultsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    private readonly mail: FaultMail,
  ) {}

  /** Newest first. */
  async list(principal: Principal, query: FaultsQuery): Promise<Page<FaultRow>> {
    const where = and(
      scopedTo(principal, faults.workspaceId),
      query.open === undefined ? undefined : openness(query.open === 'true'),
      query.workspaceId ? eq(faults.workspaceId, query.workspaceId) : undefined,
      query.connectionId ? eq(faults.connectionId, query.connectionId) : undefined,
      inArray(faults.connectionId, this.connectionsOf(query)),
    );
    return readPage(query, this.db.$count(faults, where), (limit, offset) =>
      this.rows(where).orderBy(desc(faults.raisedAt), desc(faults.id)).limit(limit).offset(offset),
    );
  }

  /** The fault, or NOT_FOUND where it does not exist or `principal` may not see it. */
  async get(principal: Principal, id: string): Promise<FaultRow> {
    const [row] = await this.rows(and(eq(faults.id, id), scopedTo(principal, faults.workspaceId)));
    if (!row) throw notFound('fault', id);
    return row;
  }

  /**
   * Resolves a fault and lets its connection go on from where it stopped. A connection that was paused
   * meanwhile stays paused. WRONG_STATE where the fault is resolved already.
   */
  async resume(principal: Principal, id: string): Promise<FaultRow> {
    const { fault } = await this.get(principal, id);
    const queued = await this.db.transaction(async (tx) => {
      const open = await lockOpenDelivery(tx, fault.connectionId);
      const [connection] = await tx
        .select()
        .from(connections)
        .where(eq(connections.id, fault.connectionId))
        .for('update');
      const resolved = await tx
        .update(faults)
        .set({ resolvedAt: this.clock.now(), resolvedBy: principal.name, nextProbeAt: null })
        .where(and(eq(faults.id, id), isNull(faults.resolvedAt)))
        .returning();
      const [ended] = resolved;
      if (!ended) return 'resolved before';
      await this.mail.recovered(tx, ended, principal.name);
      const { workspaceId, connectionId, code } = ended;
      await recordAudit(tx, {
        action: 'fault.resume',
        object: { type: 'fault', id },
        workspaceId,
        changes: { connectionId: { from: connectionId }, code: { from: code } },
      });
      if (fault.kind === 'permanent' || !connection) return undefined;
      // A list that is being removed is not made anew.
      const relinks = fault.code === LIST_GONE && connection.status !== 'removing';
      const waiting = relinks ? await relink(tx, connection, open, this.clock.now()) : open;
      return this.goOn(tx, connection, waiting);
    });
    if (queued === 'resolved before') throw alreadyResolved((await this.get(principal, id)).fault);
    if (queued !== undefined) await this.queue.enqueue({ kind: 'delivery', id: queued });
    await this.mail.send();
    return this.get(principal, id);
  }

  /** Returns the delivery to put into the queue. */
  private async goOn(
    tx: Transaction,
    connection: typeof connections.$inferSelect,
    open: { id: string; state: string } | undefined,
  ): Promise<string | undefined> {
    const paused = connection.status === 'inactive';
    if (connection.status === 'faulted') {
      const active = { status: 'active', updatedAt: this.clock.now() } as const;
      await tx.update(connections).set(active).where(eq(connections.id, connection.id));
    }
    if (open?.state !== 'faulted') return undefined;
    await tx
      .update(deliveries)
      .set({ state: 'queued', notBefore: paused ? PARKED_UNTIL : null, failures: 0, firstFailureAt: null })
      .where(eq(deliveries.id, open.id));
    return paused ? undefined : open.id;
  }

  private rows(where: SQL | undefined) {
    return this.db
      .select({ fault: faults, audienceId: connections.audienceId, outputId: connections.outputId })
      .from(faults)
      .innerJoin(connections, eq(connections.id, faults.connectionId))
      .where(where);
  }

  private connectionsOf({ audienceId, outputId }: FaultsQuery) {
    return this.db
      .select({ id: connections.id })
      .from(connections)
      .where(
        and(
          audienceId === undefined ? undefined : eq(connections.audienceId, audienceId),
          outputId === undefined ? undefined : eq(connections.outputId, outputId),
        ),
      );
  }
}

/**
 * The audience is made anew at the partner, and all of it is sent once, by a delivery in place of the one that found
 * it gone: what that one had sent went into a list that is there no more.
 */
async function relink(
  tx: Transaction,
  connection: typeof connections.$inferSelect,
  open: { id: string; state: string } | undefined,
  now: Date,
): Promise<{ id: string; state: string } | undefined> {
  if (open?.state !== 'faulted') return open;
  const anew = {
    externalId: null,
    deliveredVersion: 0,
    deliveredIdentities: 0,
    relinks: connection.relinks + 1,
  };
  await tx.update(connections).set(anew).where(eq(connections.id, connection.id));
  const ended = { state: 'cancelled', finishedAt: now, notBefore: null } as const;
  const [gone] = await tx.update(deliveries).set(ended).where(eq(deliveries.id, open.id)).returning();
  if (!gone) return undefined;
  const { workspaceId, connectionId, toVersion, toIdentities } = gone;
  const whole = { workspaceId, connectionId, fromVersion: 0, toVersion, fromIdentities: 0, toIdentities };
  const [made] = await tx
    .insert(deliveries)
    .values({ ...whole, state: 'faulted' })
    .returning({ id: deliveries.id, state: deliveries.state });
  return made;
}

/** Locked first, so that the delivery's own process cannot write about it meanwhile. */
async function lockOpenDelivery(tx: Transaction, connectionId: string) {
  const [open] = await tx
    .select({ id: deliveries.id, state: deliveries.state })
    .from(deliveries)
    .where(and(eq(deliveries.connectionId, connectionId), inArray(deliveries.state, OPEN_DELIVERY_STATES)))
    .for('update');
  return open;
}

function openness(open: boolean): SQL {
  return open ? isNull(faults.resolvedAt) : isNotNull(faults.resolvedAt);
}

function alreadyResolved({ id, resolvedAt, resolvedBy }: Fault): HubError {
  return new HubError(
    'WRONG_STATE',
    `Fault ${id} was resolved already, at ${resolvedAt?.toISOString()} by ${resolvedBy}. Nothing was changed.`,
  );
}
