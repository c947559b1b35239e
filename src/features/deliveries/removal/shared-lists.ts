import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { and, eq, exists, gt, inArray, isNull, ne, or, sql, type SQL } from 'drizzle-orm';
import { inTargetSql, targetOfVariant } from '../../../domain/audiences/index.js';
import { ContextFactory } from '../../../host/context/index.js';
import {
  InvalidSettingsError,
  parseConnectionSettings,
  PluginRegistry,
} from '../../../host/registry/index.js';
import {
  abVariants,
  audiences,
  connections,
  deliveries,
  deliveryJobs,
  LIVE_STATUSES,
  OPEN_DELIVERY_STATES,
  outputs,
  type Database,
} from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import type { KeptMembers } from '../../ledger/index.js';
import { partnerNameOf, type DeliveryOrder } from '../delivery-rows.js';

/** A connection as far as its list at the partner is concerned. */
export type ListOwner = Pick<DeliveryOrder, 'connection' | 'output' | 'audience' | 'variant'>;

/** Another connection that sends to the same list. */
export interface Sharer {
  connectionId: string;
  /** Whom it has there. */
  members: KeptMembers;
}

/**
 * Finds connections of one workspace that send to the same list at a partner: two audiences under one tag, or one
 * attribute. While somebody is removed from such a list, nothing is delivered to it, or who was just added by the one
 * would be taken out for the other.
 */
@Injectable()
export class SharedLists {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly registry: PluginRegistry,
    private readonly contexts: ContextFactory,
  ) {}

  /** Those that keep somebody in the owner's list. */
  async sharersOf(owner: ListOwner): Promise<Sharer[]> {
    const others = await this.othersOfList(owner, inArray(connections.status, LIVE_STATUSES));
    return others.flatMap(({ connection, variant, open }) => {
      const versions = versionsReached(connection, open);
      const there = this.hasCreate(owner) ? connection.externalId !== null : versions.length > 0;
      if (!there) return [];
      const condition = inTargetSql(targetOfVariant(variant), 'mpid');
      return [
        { connectionId: connection.id, members: { audienceId: connection.audienceId, versions, condition } },
      ];
    });
  }

  /** Whether a delivery to the owner's list is under way, of a connection that keeps what it sent. */
  async isBeingSentTo(owner: ListOwner): Promise<boolean> {
    const others = await this.othersOfList(
      owner,
      and(inArray(connections.status, LIVE_STATUSES), IS_RUNNING),
    );
    return others.length > 0;
  }

  /** Whether members are being removed from the owner's list for another connection. */
  async isBeingRemovedFrom(owner: ListOwner): Promise<boolean> {
    const atWork = this.db
      .select({ one: sql`1` })
      .from(deliveryJobs)
      .where(and(eq(deliveryJobs.deliveryId, deliveries.id), isNull(deliveryJobs.answeredAt)));
    const which = and(eq(connections.status, 'removing'), or(IS_RUNNING, exists(atWork)));
    const others = await this.othersOfList(owner, which);
    return others.length > 0;
  }

  private async othersOfList(owner: ListOwner, which: SQL | undefined) {
    const { connection, output } = owner;
    const isOpen = inArray(deliveries.state, OPEN_DELIVERY_STATES);
    const rows = await this.db
      .select({
        connection: connections,
        output: outputs,
        audience: audiences,
        variant: abVariants,
        open: deliveries,
      })
      .from(connections)
      .innerJoin(outputs, eq(outputs.id, connections.outputId))
      .innerJoin(audiences, eq(audiences.id, connections.audienceId))
      .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
      .leftJoin(deliveries, and(eq(deliveries.connectionId, connections.id), isOpen))
      .where(
        and(
          eq(connections.workspaceId, connection.workspaceId),
          ne(connections.id, connection.id),
          eq(outputs.plugin, output.plugin),
          which,
        ),
      );
    const same: typeof rows = [];
    const known = new Map<string, boolean>();
    for (const row of rows) {
      if (!this.isSameName(owner, row)) continue;
      const isSame = known.get(row.output.id) ?? (await this.isSameAccount(output, row.output));
      known.set(row.output.id, isSame);
      if (isSame) same.push(row);
    }
    return same;
  }

  /** By the partner's ids; where one has none yet, by the name that it would be made by. */
  private isSameName(one: ListOwner, other: ListOwner): boolean {
    const [first, second] = [one.connection.externalId, other.connection.externalId];
    if (first !== null && second !== null) return first === second;
    return this.nameOf(one) === this.nameOf(other);
  }

  private nameOf(owner: ListOwner): string {
    const name = partnerNameOf(owner);
    const plugin = this.registry.output(owner.output.plugin);
    try {
      return plugin.nameFor?.(parseConnectionSettings(plugin, owner.connection.settings), name) ?? name;
    } catch (error) {
      if (error instanceof InvalidSettingsError) return name;
      throw error;
    }
  }

  /** An output that cannot be opened might be of any account. */
  private async isSameAccount(
    one: DeliveryOrder['output'],
    other: DeliveryOrder['output'],
  ): Promise<boolean> {
    if (one.id === other.id || isDeepStrictEqual(one.settings, other.settings)) return true;
    const accountOf = async (output: DeliveryOrder['output']) => (await this.contexts.output(output)).account;
    try {
      return (await accountOf(one)) === (await accountOf(other));
    } catch {
      return true;
    }
  }

  private hasCreate({ output }: ListOwner): boolean {
    return this.registry.output(output.plugin).audience.create !== undefined;
  }
}

/** A process that died is not under way. */
const IS_RUNNING = and(eq(deliveries.state, 'running'), gt(deliveries.leaseUntil, sql`now()`));

/** Versions whose members a connection may have at its partner; empty: none. */
export function versionsReached(
  { deliveredVersion }: Pick<DeliveryOrder['connection'], 'deliveredVersion'>,
  open: Pick<DeliveryOrder['delivery'], 'toVersion' | 'touchedAt'> | null | undefined,
): number[] {
  const begun = open && open.touchedAt !== null ? open.toVersion : 0;
  return [...new Set([deliveredVersion, begun])].filter((version) => version > 0);
}
