import { and, eq, isNotNull, lt, sql, type SQL } from 'drizzle-orm';
import {
  connections,
  connectionUpkeep,
  rowsOf,
  type Database,
  type SendsAgain,
  type Transaction,
} from '../../platform/database/index.js';
import type { Delivery, DeliveryOrder } from './delivery-rows.js';

/** Somebody wants all members to be sent again, and nobody has done so since. A connection's first delivery does. */
export function wantsBackfill(): SQL {
  return sql`(${connectionUpkeep.backfillsWanted} > ${connectionUpkeep.backfillsDone} and ${connections.deliveredVersion} > 0)`;
}

/**
 * Has all members sent once more. Not before a first delivery, which sends everybody anyway; where that has begun, some
 * of it may be with the partner, or with a process that knows nothing of what is asked for now. Returns whether they will be.
 *
 * @param open the connection's open delivery, locked
 */
export async function askForBackfill(
  tx: Transaction,
  connectionId: string,
  open: Delivery | undefined,
): Promise<boolean> {
  const begun = open?.kind === 'changes' && (open.state === 'running' || open.touchedAt !== null);
  const asked = await tx.execute(sql`
    insert into ${connectionUpkeep} (connection_id, workspace_id, backfills_wanted)
    select ${connections.id}, ${connections.workspaceId}, 1 from ${connections}
    where ${connections.id} = ${connectionId} and (${connections.deliveredVersion} > 0 or ${begun}::boolean)
    on conflict (connection_id) do update
      set backfills_wanted = connection_upkeep.backfills_wanted + 1
    returning connection_id`);
  return rowsOf(asked).length > 0;
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

/**
 * Before a delivery sends anything: a first one sends everybody, and what was asked for by now, when its order was read,
 * is done by it. Whoever asks afterwards asks for the next one.
 */
export async function noteFirstSending(db: Database, { delivery, upkeep }: DeliveryOrder): Promise<void> {
  if (delivery.fromVersion > 0 || delivery.touchedAt !== null || upkeep === null) return;
  await backfilled(db, delivery.connectionId, upkeep.backfillsWanted);
}

/** Part of the end of a delivery: what it sent again is done. Whoever asks meanwhile asks for the next one. */
export async function noteSentAgain(tx: Transaction, { connectionId, sendsAgain }: Delivery): Promise<void> {
  const own = eq(connectionUpkeep.connectionId, connectionId);
  if (sendsAgain?.backfill !== undefined) await backfilled(tx, connectionId, sendsAgain.backfill);
  if (sendsAgain?.heartbeat === undefined) return;
  await tx
    .update(connectionUpkeep)
    .set({ heartbeats: slotsDoneSql(sendsAgain.heartbeat.slots) })
    .where(and(own, isNotNull(connectionUpkeep.heartbeats)));
}

async function backfilled(db: Database | Transaction, connectionId: string, upTo: number): Promise<void> {
  await db
    .update(connectionUpkeep)
    .set({ backfillsDone: upTo })
    .where(and(eq(connectionUpkeep.connectionId, connectionId), lt(connectionUpkeep.backfillsDone, upTo)));
}
