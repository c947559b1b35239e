import { and, eq, inArray, isNull, ne } from 'drizzle-orm';
import { HubError } from '../../domain/errors/index.js';
import {
  connections,
  deliveries,
  faults,
  OPEN_DELIVERY_STATES,
  PARKED_UNTIL,
  type Transaction,
} from '../../platform/database/index.js';
import type { ChosenStatus } from './connections.dto.js';

type Connection = typeof connections.$inferSelect;

/**
 * Locks the connection's open delivery, then the connection: the order in which every transaction takes them,
 * so that none waits for another in a circle.
 */
export async function lockConnection(tx: Transaction, id: string): Promise<Connection | undefined> {
  await tx
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(and(eq(deliveries.connectionId, id), inArray(deliveries.state, OPEN_DELIVERY_STATES)))
    .for('update');
  const [connection] = await tx.select().from(connections).where(eq(connections.id, id)).for('update');
  return connection;
}

/**
 * Pauses or activates. A paused connection's delivery keeps its cursor and waits; one that runs stops by
 * itself before it begins the next batch. Returns the delivery that can go on now.
 */
export async function changeStatus(
  tx: Transaction,
  connection: Connection,
  status: ChosenStatus,
): Promise<string | undefined> {
  if (connection.status === status) return undefined;
  if (status === 'active') await refuseWhileFaulted(tx, connection);
  await tx.update(connections).set({ status }).where(eq(connections.id, connection.id));
  const [waiting] = await tx
    .update(deliveries)
    .set({ notBefore: status === 'active' ? null : PARKED_UNTIL })
    .where(and(eq(deliveries.connectionId, connection.id), eq(deliveries.state, 'queued')))
    .returning({ id: deliveries.id });
  return status === 'active' ? waiting?.id : undefined;
}

/** What a fault stopped goes on by Resume, which says who decided so. */
async function refuseWhileFaulted(tx: Transaction, { id }: Connection): Promise<void> {
  const [open] = await tx
    .select({ id: faults.id, code: faults.code })
    .from(faults)
    .where(and(eq(faults.connectionId, id), isNull(faults.resolvedAt), ne(faults.kind, 'permanent')));
  if (!open) return;
  throw new HubError(
    'WRONG_STATE',
    `Connection ${id} is stopped by fault ${open.id} (${open.code}). Mend the cause and call ` +
      `POST /faults/${open.id}/resume, then activate it if it is still inactive.`,
  );
}
