import { eq } from 'drizzle-orm';
import { partnerAudienceName } from '../../domain/names/index.js';
import {
  abVariants,
  audiences,
  connections,
  connectionUpkeep,
  deliveries,
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
  /** `workspaces.number`, the workspace's key in the warehouse. */
  workspace: number;
  /** Null: there was nothing to look after yet. */
  upkeep: typeof connectionUpkeep.$inferSelect | null;
}

/** Where a delivery begins, before it is known whether the output takes whole states. */
export const FRESH_CURSOR: DeliveryCursor = { operation: 'add', afterMpid: null };

/** The order of a delivery, or undefined where it is no longer there. */
export async function readOrder(db: Database, deliveryId: string): Promise<DeliveryOrder | undefined> {
  const [row] = await db
    .select({
      delivery: deliveries,
      connection: connections,
      output: outputs,
      audience: audiences,
      variant: abVariants,
      workspace: workspaces.number,
      upkeep: connectionUpkeep,
    })
    .from(deliveries)
    .innerJoin(connections, eq(connections.id, deliveries.connectionId))
    .innerJoin(outputs, eq(outputs.id, connections.outputId))
    .innerJoin(audiences, eq(audiences.id, connections.audienceId))
    .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
    .innerJoin(workspaces, eq(workspaces.id, deliveries.workspaceId))
    .leftJoin(connectionUpkeep, eq(connectionUpkeep.connectionId, connections.id))
    .where(eq(deliveries.id, deliveryId));
  return row;
}

/** What the audience of an order is called at the partner. */
export function partnerNameOf({ audience, variant }: Pick<DeliveryOrder, 'audience' | 'variant'>): string {
  const { name, externalName } = audience;
  return partnerAudienceName({ name, externalName, variantName: variant?.name ?? null });
}
