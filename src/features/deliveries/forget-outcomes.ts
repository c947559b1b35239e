import { and, inArray, isNull, lt } from 'drizzle-orm';
import { deliveries, deliveryBatches, deliveryJobs, type Database } from '../../platform/database/index.js';

/** Deliveries whose outcomes are deleted in one transaction. */
const AT_ONCE = 20;

/**
 * Deletes what is known by person of deliveries that ended before `endedBefore`; their counts stay, and say so.
 * Returns of how many. May be cut off and run again.
 */
export async function forgetOutcomes(
  db: Database,
  { endedBefore, now }: { endedBefore: Date; now: Date },
  signal: AbortSignal,
): Promise<number> {
  for (let forgotten = 0; ;) {
    if (signal.aborted) return forgotten;
    const old = await db
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(
        and(
          inArray(deliveries.state, ['delivered', 'cancelled']),
          lt(deliveries.finishedAt, endedBefore),
          isNull(deliveries.outcomesForgottenAt),
        ),
      )
      .limit(AT_ONCE);
    if (old.length === 0) return forgotten;
    const ids = old.map(({ id }) => id);
    await db.transaction(async (tx) => {
      await tx.update(deliveries).set({ outcomesForgottenAt: now }).where(inArray(deliveries.id, ids));
      await tx.delete(deliveryBatches).where(inArray(deliveryBatches.deliveryId, ids));
      await tx.delete(deliveryJobs).where(inArray(deliveryJobs.deliveryId, ids));
    });
    forgotten += old.length;
  }
}
