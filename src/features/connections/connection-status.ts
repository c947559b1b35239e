import { and, eq, isNull, ne } from 'drizzle-orm';
import { HubError } from '../../domain/errors/index.js';
import {
  connections,
  deliveries,
  faults,
  PARKED_UNTIL,
  type Transaction,
} from '../../platform/database/index.js';
import type { ChosenStatus } from './connections.dto.js';

type Connection = typeof connections.$inferSelect;

/** WRONG_STATE where the connection is being removed, or was. */
export function refuseWhileRemoving({ id, status }: Pick<Connection, 'id' | 'status'>): void {
  if (status !== 'removing' && status !== 'removed') return;
  const state =
    status === 'removed'
      ? 'was deleted'
      : 'was deleted, and what it had sent is being removed at the partner. It ends by itself, or by ' +
        `DELETE /connections/${id}?force=true, which leaves the rest there`;
  throw new HubError(
    'WRONG_STATE',
    `Connection ${id} ${state}. Connect the audience anew${status === 'removed' ? '' : ' afterwards'}.`,
  );
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
  refuseWhileRemoving(connection);
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
