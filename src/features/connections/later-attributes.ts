import type { connections, deliveries, Transaction } from '../../platform/database/index.js';
import { askForBackfill } from '../deliveries/index.js';

type Connection = typeof connections.$inferSelect;
type Delivery = typeof deliveries.$inferSelect;

/**
 * Part of a change of the attributes: whom the partner has without one of them is sent again, once, with all others.
 * Attributes that are left out or put in another order are no reason to. Returns whether they are.
 *
 * @param connection as it was before, locked with the delivery that it has open
 */
export function sendLaterAttributes(
  tx: Transaction,
  { connection, open }: { connection: Connection; open: Delivery | undefined },
  chosen: readonly string[],
): Promise<boolean> | boolean {
  // By their spelling: the partner has them under the names that were chosen.
  if (chosen.every((name) => connection.attributes.includes(name))) return false;
  return askForBackfill(tx, connection.id, open);
}
