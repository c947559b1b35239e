import { and, eq, isNull, notExists } from 'drizzle-orm';
import { deliveries, deliveryPlans, type Database } from '../../platform/database/index.js';
import type { WorkLease } from '../../platform/lease/index.js';
import { FRESH_CURSOR, type DeliveryOrder } from './delivery-rows.js';

/**
 * A delivery that was held up before anything of it can have reached the partner goes to the newest version at once:
 * whoever came and left again meanwhile is not sent at all. What may have reached the partner is brought to its end
 * first, or nobody would take back what came of it. A delivery that was planned stays what was planned.
 */
export async function catchUp(db: Database, lease: WorkLease, order: DeliveryOrder): Promise<DeliveryOrder> {
  const { delivery, audience } = order;
  const { id, attempts, touchedAt, toVersion, cursor } = delivery;
  if (delivery.kind === 'removal') return order;
  const untouched = touchedAt === null && cursor.afterMpid === null && dealtWith(order) === 0;
  if (attempts < 2 || !untouched || audience.version <= toVersion) return order;
  const ofPlan = db.select().from(deliveryPlans).where(eq(deliveryPlans.deliveryId, id));
  const [moved] = await db
    .update(deliveries)
    .set({ toVersion: audience.version, planned: null, cursor: FRESH_CURSOR })
    .where(and(lease.isHeld(id), isNull(deliveries.touchedAt), notExists(ofPlan)))
    .returning();
  return moved ? { ...order, delivery: moved } : order;
}

/**
 * Written down before the first batch of a try is sent: from now on something may have reached the partner. Throws
 * LeaseLostError where somebody else may be at it by now: a removal, say, that would leave behind what comes after it.
 */
export async function touch(
  db: Database,
  lease: WorkLease,
  { delivery }: DeliveryOrder,
  now: Date,
): Promise<void> {
  const held = await db
    .update(deliveries)
    .set({ touchedAt: delivery.touchedAt ?? now })
    .where(lease.isHeld(delivery.id))
    .returning({ id: deliveries.id });
  if (held.length === 0) throw lease.lost(delivery.id);
}

function dealtWith({ delivery: { accepted, rejected, skipped } }: DeliveryOrder): number {
  return accepted + rejected + skipped;
}
