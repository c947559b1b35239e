import { Injectable } from '@nestjs/common';
import { and, eq, inArray } from 'drizzle-orm';
import { PluginRegistry, UnknownPluginError } from '../../host/registry/index.js';
import type { OutputConnector } from '../../kit/index.js';
import {
  abVariants,
  connections,
  LIVE_STATUSES,
  outputs,
  type Transaction,
} from '../../platform/database/index.js';
import { DeliveryPlanner } from '../deliveries/index.js';
import { nameAtPartner, partnerName, usableName, type Audience } from './connection-checks.js';

type Named = Pick<Audience, 'id' | 'name' | 'externalName'>;

/** What becomes of a new name at a partner. */
export interface RenameAtPartner {
  connectionId: string;
  outputName: string;
  /** `told`: it gets the new name with the next delivery, or one of its own; `kept`: it keeps the name that it has. */
  outcome: 'told' | 'kept';
}

/** Names of audiences at the partners that they are connected to. */
@Injectable()
export class ConnectionNames {
  constructor(
    private readonly registry: PluginRegistry,
    private readonly planner: DeliveryPlanner,
  ) {}

  /**
   * As part of renaming an audience: NAME_REFUSED where a partner that will see the new name would refuse it, else
   * what becomes of it at each. {@link wake} has to follow once the transaction is through.
   */
  async change(tx: Transaction, before: Named, after: Named): Promise<RenameAtPartner[]> {
    if (partnerName(before) === partnerName(after)) return [];
    const rows = await tx
      .select({ connection: connections, output: outputs, variantName: abVariants.name })
      .from(connections)
      .innerJoin(outputs, eq(outputs.id, connections.outputId))
      .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
      .where(and(eq(connections.audienceId, after.id), inArray(connections.status, LIVE_STATUSES)))
      .orderBy(connections.createdAt, connections.id);
    const renames: RenameAtPartner[] = [];
    for (const { connection, output, variantName } of rows) {
      const plugin = this.plugin(output.plugin);
      if (!plugin) continue;
      const { id, settings, externalId } = connection;
      const name = partnerName(after, variantName);
      const former = nameAtPartner(plugin, settings, partnerName(before, variantName));
      if (nameAtPartner(plugin, settings, name) === former) continue;
      // What was not made at the partner yet, or is made by its name each time, takes the new one.
      const isTold = plugin.audience.rename !== undefined || externalId === null;
      if (isTold) usableName(plugin, output, settings, name);
      if (isTold && externalId !== null) {
        await tx.update(connections).set({ renamePending: true }).where(eq(connections.id, id));
      }
      renames.push({ connectionId: id, outputName: output.name, outcome: isTold ? 'told' : 'kept' });
    }
    return renames;
  }

  /** Has the partners told that are to be. What is missed here is found by the next sweep. */
  async wake(audienceId: number): Promise<void> {
    await this.planner.wake(audienceId);
  }

  /** Undefined where its plugin is not there any more: nothing is sent to it. */
  private plugin(id: string): OutputConnector | undefined {
    try {
      return this.registry.output(id);
    } catch (error) {
      if (error instanceof UnknownPluginError) return undefined;
      throw error;
    }
  }
}
