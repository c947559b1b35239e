import { and, eq, gt, inArray, isNull, lt, notExists, type SQL } from 'drizzle-orm';
import { ATTRIBUTE_CODE, sharedAttributes } from '../../domain/identities/index.js';
import { PluginRegistry } from '../../host/registry/index.js';
import { audiences, connections, outputs, workspaces, type Database } from '../../platform/database/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { codesOf, type Ledger } from '../ledger/index.js';
import { makeDeliveries, openDelivery } from './make-deliveries.js';

/** A connection whose partner may lack identities. */
interface Lagging {
  workspaceId: string;
  /** `workspaces.number`. */
  workspace: number;
  connectionId: string;
  plugin: string;
  /** Names of the attributes that it shares. */
  attributes: readonly string[];
  audienceId: number;
  fromVersion: number;
  toVersion: number;
  fromIdentities: number;
  toIdentities: number;
}

/**
 * Makes deliveries where known profiles learned identities, or have other values of attributes, and no version says so:
 * an import taught them whose audience stayed the same, or is another one. Connections of which no member learned anything
 * that the output accepts, or that is shared with it, are only moved on.
 */
export class LearnedIdentities {
  constructor(
    private readonly db: Database,
    private readonly ledger: Ledger,
    private readonly registry: PluginRegistry,
    private readonly queue: WorkQueue,
  ) {}

  /** To be called after an import of the workspace. Called twice, or by two processes, it does the same once. */
  wake(workspaceId: string): Promise<void> {
    return this.plan(eq(connections.workspaceId, workspaceId));
  }

  /** The same for one connection, whose delivery came to its end. */
  wakeConnection(connectionId: string): Promise<void> {
    return this.plan(eq(connections.id, connectionId));
  }

  /** The same everywhere, whatever was missed. */
  wakeAll(): Promise<void> {
    return this.plan(undefined);
  }

  private async plan(which: SQL | undefined): Promise<void> {
    const groups = new Map<string, Lagging[]>();
    for (const one of await this.lagging(which)) {
      const alike = `${one.workspace} ${one.fromIdentities} ${one.toIdentities}`;
      groups.set(alike, [...(groups.get(alike) ?? []), one]);
    }
    for (const group of groups.values()) await this.planAlike(group);
  }

  /** Connections of one workspace that heard of identities up to the same change. */
  private async planAlike(group: readonly Lagging[]): Promise<void> {
    const [first] = group;
    if (!first) return;
    const { workspace, fromIdentities: after, toIdentities: upTo } = first;
    const audienceIds = [...new Set(group.map(({ audienceId }) => audienceId))];
    const learned = await this.ledger.audiencesThatLearned(workspace, audienceIds, { after, upTo });
    const concerned = group.filter(({ plugin, attributes, audienceId }) => {
      const { codes = [], attributes: changed = [] } = learned.get(audienceId) ?? {};
      const shares = sharedAttributes(attributes).some(({ key }) => changed.includes(key));
      return shares || this.accepts(plugin, codes);
    });
    const others = group.filter((one) => !concerned.includes(one));
    await this.moveOn(others, { after, upTo });
    await this.deliver(concerned);
  }

  /** A plugin that is not there is asked by its delivery, which says so. */
  private accepts(plugin: string, types: readonly number[]): boolean {
    if (types.length === 0) return false;
    // Of attributes alone, whoever shares none of them has nothing to hear.
    if (types.every((type) => type === ATTRIBUTE_CODE)) return false;
    const output = this.registry.all().find(({ id }) => id === plugin);
    if (output?.kind !== 'output') return true;
    const codes = codesOf(output.identities);
    return types.some((type) => codes.includes(type));
  }

  private async deliver(concerned: readonly Lagging[]): Promise<void> {
    const rows = concerned.map(
      ({ workspaceId, connectionId, fromVersion, toVersion, fromIdentities, toIdentities }) => ({
        workspaceId,
        connectionId,
        fromVersion,
        toVersion,
        fromIdentities,
        toIdentities,
      }),
    );
    await makeDeliveries(this.db, this.queue, rows);
  }

  private async moveOn(others: readonly Lagging[], range: { after: number; upTo: number }): Promise<void> {
    if (others.length === 0) return;
    const ids = others.map(({ connectionId }) => connectionId);
    await this.db
      .update(connections)
      .set({ deliveredIdentities: range.upTo })
      .where(
        and(
          inArray(connections.id, ids),
          eq(connections.deliveredIdentities, range.after),
          notExists(openDelivery(this.db)),
        ),
      );
  }

  private lagging(which: SQL | undefined): Promise<Lagging[]> {
    return this.db
      .select({
        workspaceId: connections.workspaceId,
        workspace: workspaces.number,
        connectionId: connections.id,
        plugin: outputs.plugin,
        attributes: connections.attributes,
        audienceId: connections.audienceId,
        fromVersion: connections.deliveredVersion,
        toVersion: audiences.version,
        fromIdentities: connections.deliveredIdentities,
        toIdentities: workspaces.identitySequence,
      })
      .from(connections)
      .innerJoin(audiences, eq(audiences.id, connections.audienceId))
      .innerJoin(outputs, eq(outputs.id, connections.outputId))
      .innerJoin(workspaces, eq(workspaces.id, connections.workspaceId))
      .where(
        and(
          which,
          eq(connections.status, 'active'),
          isNull(audiences.deletedAt),
          gt(connections.deliveredVersion, 0),
          lt(connections.deliveredIdentities, workspaces.identitySequence),
          notExists(openDelivery(this.db)),
        ),
      );
  }
}
