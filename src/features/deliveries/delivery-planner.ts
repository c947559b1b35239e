import { Injectable } from '@nestjs/common';
import { and, eq, gt, isNull, notExists, or, type SQL } from 'drizzle-orm';
import {
  audiences,
  connections,
  connectionUpkeep,
  workspaces,
  type Database,
} from '../../platform/database/index.js';
import { InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { makeDeliveries, openDelivery } from './make-deliveries.js';
import { sendsAgainSql, wantsBackfill } from './sends-again.js';

/** Makes the deliveries that bring connections to their audience's published version, and the backfills asked for. */
@Injectable()
export class DeliveryPlanner {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
  ) {}

  /** To be called after a version was published. Called twice, or by two processes, it does the same once. */
  wake(audienceId: number): Promise<number> {
    return this.plan(eq(connections.audienceId, audienceId));
  }

  /** The same for one connection, after it was made or activated. */
  wakeConnection(connectionId: string): Promise<number> {
    return this.plan(eq(connections.id, connectionId));
  }

  /** The same for all connections that lag behind, whatever was missed. */
  wakeAll(): Promise<number> {
    return this.plan(undefined);
  }

  /** Returns how many deliveries were made. */
  private async plan(which: SQL | undefined): Promise<number> {
    const lagging = await this.db
      .select({
        workspaceId: connections.workspaceId,
        connectionId: connections.id,
        fromVersion: connections.deliveredVersion,
        toVersion: audiences.version,
        fromIdentities: connections.deliveredIdentities,
        toIdentities: workspaces.identitySequence,
        sendsAgain: sendsAgainSql(),
      })
      .from(connections)
      .innerJoin(audiences, eq(audiences.id, connections.audienceId))
      .innerJoin(workspaces, eq(workspaces.id, connections.workspaceId))
      .leftJoin(connectionUpkeep, eq(connectionUpkeep.connectionId, connections.id))
      .where(
        and(
          which,
          eq(connections.status, 'active'),
          isNull(audiences.deletedAt),
          or(gt(audiences.version, connections.deliveredVersion), connections.renamePending, wantsBackfill()),
          notExists(openDelivery(this.db)),
        ),
      );
    return makeDeliveries(this.db, this.queue, lagging);
  }
}
