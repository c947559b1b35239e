import { and, eq, inArray, sql } from 'drizzle-orm';
import {
  connections,
  deliveries,
  OPEN_DELIVERY_STATES,
  type Database,
} from '../../platform/database/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';

/** For `notExists`: the delivery that the connection of the outer query has open. */
export function openDelivery(db: Database) {
  return db
    .select({ one: sql`1` })
    .from(deliveries)
    .where(and(eq(deliveries.connectionId, connections.id), inArray(deliveries.state, OPEN_DELIVERY_STATES)));
}

/**
 * One statement, and a hint for each delivery made: the unique index on open deliveries decides between those who
 * try at the same time. Returns how many were made.
 */
export async function makeDeliveries(
  db: Database,
  queue: WorkQueue,
  rows: readonly (typeof deliveries.$inferInsert)[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const made = await db
    .insert(deliveries)
    .values([...rows])
    .onConflictDoNothing()
    .returning({ id: deliveries.id });
  for (const { id } of made) await queue.enqueue({ kind: 'delivery', id });
  return made.length;
}
