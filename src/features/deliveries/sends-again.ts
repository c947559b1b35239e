import { and, eq, isNotNull, sql, type SQL } from 'drizzle-orm';
import {
  connections,
  connectionUpkeep,
  type SendsAgain,
  type Transaction,
} from '../../platform/database/index.js';
import type { Delivery, DeliveryOrder } from './delivery-rows.js';

/** Somebody wants all members to be sent again, and nobody has done so since. A connection's first delivery does. */
export function wantsBackfill(): SQL {
  return sql`(${connectionUpkeep.backfillsWanted} > ${connectionUpkeep.backfillsDone} and ${connections.deliveredVersion} > 0)`;
}

/** What a delivery that is made now sends again. */
export function sendsAgainSql(): SQL<SendsAgain | null> {
  return sql<SendsAgain | null>`case when ${wantsBackfill()}
    then jsonb_build_object('backfill', ${connectionUpkeep.backfillsWanted}) end`;
}

/** Whether another delivery has done what this one was made for, since somebody looked. */
export function wasSentAgain({ delivery, upkeep }: Pick<DeliveryOrder, 'delivery' | 'upkeep'>): boolean {
  const { backfill, heartbeat } = delivery.sendsAgain ?? {};
  if (backfill !== undefined) return (upkeep?.backfillsDone ?? 0) >= backfill;
  const done = upkeep?.heartbeats?.slots ?? {};
  return Object.entries(heartbeat?.slots ?? {}).some(([slice, slotMs]) => (done[slice] ?? 0) >= slotMs);
}

/** Slots of slices that were dealt with, put to those that were before. */
export function slotsDoneSql(slots: Record<string, number>): SQL {
  return sql`jsonb_set(${connectionUpkeep.heartbeats}, '{slots}',
    ${connectionUpkeep.heartbeats}->'slots' || ${JSON.stringify(slots)}::text::jsonb)`;
}

/** Part of the end of a delivery: what it sent again is done. Whoever asks meanwhile asks for the next one. */
export async function noteSentAgain(
  tx: Transaction,
  { connectionId, fromVersion, sendsAgain }: Delivery,
): Promise<void> {
  const own = eq(connectionUpkeep.connectionId, connectionId);
  if (fromVersion === 0) {
    // Everybody was sent.
    await tx
      .update(connectionUpkeep)
      .set({ backfillsDone: sql`${connectionUpkeep.backfillsWanted}` })
      .where(own);
  } else if (sendsAgain?.backfill !== undefined) {
    await tx
      .update(connectionUpkeep)
      .set({ backfillsDone: sendsAgain.backfill })
      .where(and(own, sql`${connectionUpkeep.backfillsDone} < ${sendsAgain.backfill}`));
  }
  if (sendsAgain?.heartbeat === undefined) return;
  await tx
    .update(connectionUpkeep)
    .set({ heartbeats: slotsDoneSql(sendsAgain.heartbeat.slots) })
    .where(and(own, isNotNull(connectionUpkeep.heartbeats)));
}
