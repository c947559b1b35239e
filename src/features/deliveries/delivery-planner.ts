import { Injectable } from '@nestjs/common';
import { and, eq, gt, isNull, notExists, sql, type SQL } from 'drizzle-orm';
import { audiences, connections, deliveries, type Database } from '../../platform/database/index.js';
import { InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';

/** Makes the deliveries that bring connections to their audience's published version. */
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

  /**
   * One statement: the unique index on open deliveries decides between those who try at the same time.
   * Returns how many deliveries were made.
   */
  private async plan(which: SQL | undefined): Promise<number> {
    const open = this.db
      .select({ one: sql`1` })
      .from(deliveries)
      .where(
        and(
          eq(deliveries.connectionId, connections.id),
          sql`${deliveries.state} in ('queued', 'running', 'faulted')`,
        ),
      );
    const lagging = await this.db
      .select({
        workspaceId: connections.workspaceId,
        connectionId: connections.id,
        fromVersion: connections.deliveredVersion,
        toVersion: audiences.version,
      })
      .from(connections)
      .innerJoin(audiences, eq(audiences.id, connections.audienceId))
      .where(
        and(
          which,
          eq(connections.status, 'active'),
          isNull(audiences.deletedAt),
          gt(audiences.version, connections.deliveredVersion),
          notExists(open),
        ),
      );
    if (lagging.length === 0) return 0;
    const made = await this.db
      .insert(deliveries)
      .values(lagging)
      .onConflictDoNothing()
      .returning({ id: deliveries.id });
    for (const { id } of made) await this.queue.enqueue({ kind: 'delivery', id });
    return made.length;
  }
}
