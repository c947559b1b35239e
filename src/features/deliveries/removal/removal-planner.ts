import { Injectable } from '@nestjs/common';
import { and, eq, inArray, notExists, sql, type SQL } from 'drizzle-orm';
import type { Clock } from '../../../platform/clock/index.js';
import {
  connections,
  deliveries,
  OPEN_DELIVERY_STATES,
  type Database,
  type DeliveryCursor,
  type Transaction,
} from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { FaultLog } from '../../faults/index.js';
import type { Connection, Delivery } from '../delivery-rows.js';
import { lockWithDelivery } from '../lock-connection.js';
import { versionsReached } from './shared-lists.js';

/** Where a removal begins. */
export const REMOVAL_CURSOR: DeliveryCursor = { operation: 'remove', afterMpid: null };

/** Makes the deliveries that take away whom deleted connections had sent. */
@Injectable()
export class RemovalPlanner {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    private readonly faults: FaultLog,
  ) {}

  /** After the connection was deleted, or what it was sending has stopped. Called twice, it does the same once. */
  wakeConnection(id: string): Promise<void> {
    return this.plan(eq(connections.id, id));
  }

  /** The same of all, whatever was missed. */
  wakeAll(): Promise<void> {
    return this.plan(undefined);
  }

  private async plan(which: SQL | undefined): Promise<void> {
    const begun = this.db
      .select({ one: sql`1` })
      .from(deliveries)
      .where(
        and(
          eq(deliveries.connectionId, connections.id),
          eq(deliveries.kind, 'removal'),
          inArray(deliveries.state, OPEN_DELIVERY_STATES),
        ),
      );
    const waiting = await this.db
      .select({ id: connections.id })
      .from(connections)
      .where(and(which, eq(connections.status, 'removing'), notExists(begun)));
    for (const { id } of waiting) {
      const made = await this.db.transaction(async (tx) => {
        const { connection, open } = await lockWithDelivery(tx, id);
        return connection?.status === 'removing' ? this.begin(tx, connection, open) : undefined;
      });
      if (made !== undefined) await this.queue.enqueue({ kind: 'delivery', id: made });
    }
  }

  /**
   * Puts the removal in the place of what the connection had open; both are locked. Not while that runs: what it has
   * under way might arrive behind the removal. It stops by itself, and this is called again. Returns the delivery made.
   */
  async begin(
    tx: Transaction,
    { id: connectionId, workspaceId, ...connection }: Connection,
    open: Delivery | undefined,
  ): Promise<string | undefined> {
    if (open?.state === 'running' || open?.kind === 'removal') return undefined;
    if (open) {
      await tx
        .update(deliveries)
        .set({
          state: 'cancelled',
          finishedAt: this.clock.now(),
          notBefore: null,
          leaseOwner: null,
          leaseUntil: null,
        })
        .where(eq(deliveries.id, open.id));
    }
    await this.faults.endWithRemoval(tx, connectionId);
    const { deliveredVersion, deliveredIdentities } = connection;
    const toVersion = Math.max(deliveredVersion, ...versionsReached(connection, open));
    const [made] = await tx
      .insert(deliveries)
      .values({
        workspaceId,
        connectionId,
        kind: 'removal',
        fromVersion: deliveredVersion,
        toVersion,
        fromIdentities: deliveredIdentities,
        toIdentities: deliveredIdentities,
        cursor: REMOVAL_CURSOR,
      })
      .returning({ id: deliveries.id });
    return made?.id;
  }
}
