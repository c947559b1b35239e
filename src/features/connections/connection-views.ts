import { Injectable } from '@nestjs/common';
import { desc, eq, inArray, type SQL } from 'drizzle-orm';
import {
  abVariants,
  audiences,
  connections,
  connectionUpkeep,
  deliveries,
  outputs,
  type Database,
} from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import type { ConnectionDeliveryView, ConnectionView, ReconciliationView } from './connections.dto.js';
import { openFaultsOf } from './open-faults.js';
import { showRemoval } from './removal/removal.dto.js';

/** Reads connections with what people want to see beside them. */
@Injectable()
export class ConnectionViews {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** Oldest first. */
  async read(where: SQL | undefined, limit: number, offset = 0): Promise<ConnectionView[]> {
    const rows = await this.db
      .select({
        connection: connections,
        audience: audiences,
        output: outputs,
        variant: abVariants,
        upkeep: connectionUpkeep,
      })
      .from(connections)
      .innerJoin(audiences, eq(audiences.id, connections.audienceId))
      .innerJoin(outputs, eq(outputs.id, connections.outputId))
      .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
      .leftJoin(connectionUpkeep, eq(connectionUpkeep.connectionId, connections.id))
      .where(where)
      .orderBy(connections.createdAt, connections.id)
      .limit(limit)
      .offset(offset);
    const ids = rows.map(({ connection }) => connection.id);
    const openFaults = await openFaultsOf(this.db, ids);
    const lastDeliveries = await this.lastDeliveries(ids);
    return rows.map(({ connection, audience, output, variant, upkeep }) => ({
      id: connection.id,
      workspaceId: connection.workspaceId,
      audienceId: audience.id,
      audienceName: audience.name,
      outputId: output.id,
      outputName: output.name,
      plugin: output.plugin,
      variantId: connection.variantId,
      variantName: variant?.name ?? null,
      settings: connection.settings,
      attributes: connection.attributes,
      status: connection.status,
      removal:
        connection.removal &&
        showRemoval(connection.removal, {
          since: connection.removingSince,
          finishedAt: connection.removedAt,
        }),
      externalId: connection.externalId,
      deliveredVersion: connection.deliveredVersion,
      audienceVersion: audience.version,
      openFault: openFaults.get(connection.id) ?? null,
      lastDelivery: lastDeliveries.get(connection.id) ?? null,
      reconciliation: reconciliationOf(upkeep),
      backfillPending: upkeep !== null && upkeep.backfillsWanted > upkeep.backfillsDone,
      createdAt: connection.createdAt.toISOString(),
      updatedAt: connection.updatedAt.toISOString(),
    }));
  }

  private async lastDeliveries(ids: string[]): Promise<Map<string, ConnectionDeliveryView>> {
    if (ids.length === 0) return new Map();
    const rows = await this.db
      .selectDistinctOn([deliveries.connectionId])
      .from(deliveries)
      .where(inArray(deliveries.connectionId, ids))
      .orderBy(deliveries.connectionId, desc(deliveries.createdAt), desc(deliveries.toVersion));
    return new Map(
      rows.map(({ id, connectionId, state, toVersion, planned, accepted, rejected, skipped }) => [
        connectionId,
        { id, state, toVersion, planned, accepted, rejected, skipped },
      ]),
    );
  }
}

function reconciliationOf(upkeep: typeof connectionUpkeep.$inferSelect | null): ReconciliationView | null {
  if (!upkeep?.reconciliation || !upkeep.reconciledAt) return null;
  const { told, ...found } = upkeep.reconciliation;
  return { reconciledAt: upkeep.reconciledAt.toISOString(), ...found, toldAt: told?.at ?? null };
}
