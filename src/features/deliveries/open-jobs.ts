import { and, eq, inArray, isNull, lt, ne, sql } from 'drizzle-orm';
import type { PartnerCalls } from '../../host/outputs/index.js';
import { isConnectorError } from '../../kit/index.js';
import { deliveries, deliveryJobs, type Database } from '../../platform/database/index.js';
import { DeliveryJobs, WAITED_FOR_SINCE } from './delivery-jobs.js';
import type { DeliveryOrder } from './delivery-rows.js';

/** Jobs that are asked about in one go. */
const AT_ONCE = 50;

/** Whose jobs: of the connection's other deliveries, before anything is sent; of all, once everything was. */
type Whose = 'earlier' | 'all';

/**
 * Asks for the jobs that a connection still has at its partner: one that ends behind what is sent next would undo it. They
 * are of deliveries that were given up, and of batches that are others by now, because somebody who was left out of one has
 * learned an identity since. `waitMs`: until they are to be asked for again; undefined: none is under way. Not waited for
 * is what the partner did not end in time: see {@link WAITED_FOR_SINCE}.
 */
export async function waitForOpenJobs(
  db: Database,
  order: DeliveryOrder,
  calls: PartnerCalls,
  whose: Whose,
): Promise<{ waitMs: number } | undefined> {
  if (!calls.line.connector.audience.poll) return undefined;
  const open = await openJobs(db, order, whose);
  const waits: number[] = [];
  for (const { deliveryId, batchId, jobId } of open) {
    const pollAfterMs = await askFor(calls, jobId);
    if (pollAfterMs === undefined) await new DeliveryJobs(db, deliveryId).answered(batchId);
    else waits.push(pollAfterMs);
  }
  if (waits.length > 0) return { waitMs: Math.min(...waits) };
  // There may be more of them.
  return open.length === AT_ONCE ? { waitMs: 0 } : undefined;
}

async function openJobs(db: Database, { connection, delivery }: DeliveryOrder, whose: Whose) {
  const ofConnection = db
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.connectionId, connection.id),
        whose === 'earlier' ? ne(deliveries.id, delivery.id) : undefined,
      ),
    );
  const isOpen = and(isNull(deliveryJobs.answeredAt), inArray(deliveryJobs.deliveryId, ofConnection));
  await db
    .update(deliveryJobs)
    .set({ answeredAt: sql`now()` })
    .where(and(isOpen, lt(deliveryJobs.createdAt, WAITED_FOR_SINCE)));
  return db
    .select({ deliveryId: deliveryJobs.deliveryId, batchId: deliveryJobs.batchId, jobId: deliveryJobs.jobId })
    .from(deliveryJobs)
    .where(isOpen)
    .limit(AT_ONCE);
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
