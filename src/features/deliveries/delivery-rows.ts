import { and, eq, gte, isNull, notExists, or, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { partnerAudienceName } from '../../domain/names/index.js';
import {
  abVariants,
  audiences,
  audienceVersions,
  connections,
  connectionUpkeep,
  deliveries,
  erasures,
  outputs,
  workspaces,
  type Database,
  type DeliveryCursor,
} from '../../platform/database/index.js';

export type Delivery = typeof deliveries.$inferSelect;
export type Connection = typeof connections.$inferSelect;
export type Output = typeof outputs.$inferSelect;
export type Audience = typeof audiences.$inferSelect;
export type Variant = typeof abVariants.$inferSelect;

/** A delivery with all it needs to know. */
export interface DeliveryOrder {
  delivery: Delivery;
  connection: Connection;
  output: Output;
  audience: Audience;
  /** Null: the connection sends the full audience. */
  variant: Variant | null;
  /** The version that it brings, as it was published; null where people may have been forgotten since. */
  version: typeof audienceVersions.$inferSelect | null;
  /** `workspaces.number`, the workspace's key in the warehouse. */
  workspace: number;
  /** Null: there was nothing to look after yet. */
  upkeep: typeof connectionUpkeep.$inferSelect | null;
}

/** Where a delivery begins, before it is known whether the output takes whole states. */
export const FRESH_CURSOR: DeliveryCursor = { operation: 'add', afterMpid: null };

/** The same of a whole state. */
export const FRESH_WHOLE: DeliveryCursor = { operation: 'replace', afterMpid: null, parts: 0 };

/** Whether a delivery is there, and need not wait any longer. */
export async function isDue(db: Database, deliveryId: string, now: Date): Promise<boolean> {
  const [row] = await db
    .select({ notBefore: deliveries.notBefore })
    .from(deliveries)
    .where(eq(deliveries.id, deliveryId));
  return row !== undefined && (row.notBefore ?? now) <= now;
}

/** The order of a delivery, or undefined where it is no longer there. */
export async function readOrder(db: Database, deliveryId: string): Promise<DeliveryOrder | undefined> {
  const [row] = await db
    .select({
      delivery: deliveries,
      connection: connections,
      output: outputs,
      audience: audiences,
      variant: abVariants,
      version: audienceVersions,
      workspace: workspaces.number,
      upkeep: connectionUpkeep,
    })
    .from(deliveries)
    .innerJoin(connections, eq(connections.id, deliveries.connectionId))
    .innerJoin(outputs, eq(outputs.id, connections.outputId))
    .innerJoin(audiences, eq(audiences.id, connections.audienceId))
    .leftJoin(
      audienceVersions,
      and(
        eq(audienceVersions.audienceId, audiences.id),
        eq(audienceVersions.version, deliveries.toVersion),
        notExists(erasedSince(db, audienceVersions.publishedAt)),
      ),
    )
    .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
    .innerJoin(workspaces, eq(workspaces.id, deliveries.workspaceId))
    .leftJoin(connectionUpkeep, eq(connectionUpkeep.connectionId, connections.id))
    .where(eq(deliveries.id, deliveryId));
  return row;
}

/**
 * Erasures that were not done at a moment: they take people out of the ledger, whenever those came and went. Some that were
 * done in the hour before it as well, because the clocks of processes and of the database differ.
 */
function erasedSince(db: Database, moment: AnyPgColumn) {
  const isOpen = or(
    isNull(erasures.finishedAt),
    gte(erasures.finishedAt, sql`${moment} - interval '1 hour'`),
  );
  return db
    .select({ one: sql`1` })
    .from(erasures)
    .where(and(eq(erasures.workspaceId, deliveries.workspaceId), isOpen));
}

/** What the audience of an order is called at the partner. */
export function partnerNameOf({ audience, variant }: Pick<DeliveryOrder, 'audience' | 'variant'>): string {
  const { name, externalName } = audience;
  return partnerAudienceName({ name, externalName, variantName: variant?.name ?? null });
}
