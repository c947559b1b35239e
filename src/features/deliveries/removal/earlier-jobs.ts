import { and, eq, gt, isNull, ne, sql } from 'drizzle-orm';
import type { PartnerCalls } from '../../../host/outputs/index.js';
import { isConnectorError } from '../../../kit/index.js';
import { deliveries, deliveryJobs, type Database } from '../../../platform/database/index.js';
import { DeliveryJobs } from '../delivery-jobs.js';
import type { DeliveryOrder } from '../delivery-rows.js';

/** Jobs that are asked about in one go. */
const AT_ONCE = 50;

/**
 * Asks for the jobs that a connection had at its partner when it was deleted: one that ends behind the removal would put
 * people back. Milliseconds until they are to be asked for again; undefined: none is under way. What the partner did
 * not end in an hour is not waited for.
 */
export async function waitForEarlierJobs(
  db: Database,
  { connection, delivery }: DeliveryOrder,
  calls: PartnerCalls,
): Promise<number | undefined> {
  const { audience } = calls.line.connector;
  if (!audience.poll) return undefined;
  const open = await db
    .select({ deliveryId: deliveryJobs.deliveryId, batchId: deliveryJobs.batchId, jobId: deliveryJobs.jobId })
    .from(deliveryJobs)
    .innerJoin(deliveries, eq(deliveries.id, deliveryJobs.deliveryId))
    .where(
      and(
        eq(deliveries.connectionId, connection.id),
        ne(deliveries.id, delivery.id),
        isNull(deliveryJobs.answeredAt),
        gt(deliveryJobs.createdAt, sql`now() - interval '1 hour'`),
      ),
    )
    .limit(AT_ONCE);
  let waitMs: number | undefined;
  for (const { deliveryId, batchId, jobId } of open) {
    const pollAfterMs = await askFor(calls, jobId);
    if (pollAfterMs === undefined) await new DeliveryJobs(db, deliveryId).answered(batchId);
    else waitMs = Math.min(waitMs ?? pollAfterMs, pollAfterMs);
  }
  return open.length === AT_ONCE ? (waitMs ?? 0) : waitMs;
}

/** Undefined where the job is over, whatever came of it. */
async function askFor(calls: PartnerCalls, jobId: string): Promise<number | undefined> {
  try {
    const result = await calls.call(async (ctx) => calls.line.connector.audience.poll?.(ctx, jobId));
    return result?.status === 'pending' ? result.pollAfterMs : undefined;
  } catch (error) {
    if (isConnectorError(error) && error.kind === 'permanent') return undefined;
    throw error;
  }
}
