import { and, eq, inArray } from 'drizzle-orm';
import {
  connections,
  deliveries,
  OPEN_DELIVERY_STATES,
  type Transaction,
} from '../../platform/database/index.js';
import type { Connection, Delivery } from './delivery-rows.js';

/**
 * Locks the connection's open delivery, then the connection: the order in which every transaction takes them,
 * so that none waits for another in a circle.
 */
export async function lockConnection(tx: Transaction, id: string): Promise<Connection | undefined> {
  return (await lockWithDelivery(tx, id)).connection;
}

/** The same, with the open delivery. */
export async function lockWithDelivery(
  tx: Transaction,
  id: string,
): Promise<{ connection: Connection | undefined; open: Delivery | undefined }> {
  const [open] = await tx
    .select()
    .from(deliveries)
    .where(and(eq(deliveries.connectionId, id), inArray(deliveries.state, OPEN_DELIVERY_STATES)))
    .for('update');
  const [connection] = await tx.select().from(connections).where(eq(connections.id, id)).for('update');
  return { connection, open };
}
