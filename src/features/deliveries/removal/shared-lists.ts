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
import { WAITED_FOR_SINCE } from '../delivery-jobs.js';
import { partnerNameOf, type DeliveryOrder } from '../delivery-rows.js';

/** A connection as far as its list at the partner is concerned. */
export type ListOwner = Pick<DeliveryOrder, 'connection' | 'output' | 'audience' | 'variant'>;

/** Another connection that sends to the same list. */
export interface Sharer {
  connectionId: string;
  /** Whom it has there. */
  members: KeptMembers;
}

/** What a delivery of changes is about to do to a list. */
export interface Intent {
  /** Whether it takes members out one by one, where somebody left. */
  removes: boolean;
}

/**
 * Finds connections of one workspace that send to the same list at a partner: two audiences under one tag, or one
 * attribute. While somebody is removed from such a list, nothing else is delivered to it, or who was just added by the
 * one would be taken out for the other.
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
    const others = await this.othersOfList(owner, IS_LIVE);
    return this.keepers(owner, others);
  }

  /**
   * Those that keep somebody whom a delivery might take out of the order's list; undefined while one of the two that are
   * about to be at it has to wait: both claimed their delivery before they ask, so at least one of them sees the other.
   * What is found holds for as long as the order's delivery is claimed.
   */
  async besides(
    order: ListOwner & Pick<DeliveryOrder, 'delivery'>,
    intent: Intent,
  ): Promise<Sharer[] | undefined> {
    const isFirst = order.delivery.fromVersion === 0;
    const isRemoved = and(eq(connections.status, 'removing'), or(IS_RUNNING, exists(this.jobs())));
    const recent = gt(deliveryJobs.createdAt, WAITED_FOR_SINCE);
    const isSentTo = and(
      IS_LIVE,
      or(IS_RUNNING, exists(this.jobs(recent))),
      // Those that take nobody out can do so side by side.
      isFirst ? gt(deliveries.fromVersion, 0) : undefined,
    );
    const isBusy = intent.removes ? or(isRemoved, isSentTo) : isRemoved;
    const takesOut = intent.removes && !isFirst;
    const others = await this.othersOfList(order, takesOut ? or(isBusy, IS_LIVE) : isBusy, isBusy);
    if (others.some(({ busy }) => busy)) return undefined;
    return this.keepers(order, others).filter(({ members }) => members.versions.length > 0);
  }

  /** Whether a delivery to the owner's list is under way, of a connection that keeps what it sent. */
  async isBeingSentTo(owner: ListOwner): Promise<boolean> {
    const others = await this.othersOfList(owner, and(IS_LIVE, IS_RUNNING));
    return others.length > 0;
  }

  /** Jobs of the delivery of the outer query that the partner has not answered. */
  private jobs(which?: SQL) {
    return this.db
      .select({ one: sql`1` })
      .from(deliveryJobs)
      .where(and(eq(deliveryJobs.deliveryId, deliveries.id), isNull(deliveryJobs.answeredAt), which));
  }

  private keepers(owner: ListOwner, others: Awaited<ReturnType<typeof this.othersOfList>>): Sharer[] {
    return others.flatMap(({ connection, variant, open }) => {
      const version = versionMeant(connection, open);
      const there = this.hasCreate(owner) ? connection.externalId !== null : version > 0;
      if (!there) return [];
      const condition = inTargetSql(targetOfVariant(variant), 'mpid');
      const versions = version > 0 ? [version] : [];
      return [
        { connectionId: connection.id, members: { audienceId: connection.audienceId, versions, condition } },
      ];
    });
  }

  /** @param busy what makes one of them `busy` */
  private async othersOfList(owner: ListOwner, which: SQL | undefined, busy: SQL = sql`false`) {
    const { connection, output } = owner;
    const { externalId } = connection;
    const isOpen = inArray(deliveries.state, OPEN_DELIVERY_STATES);
    const rows = await this.db
      .select({
        connection: connections,
        output: outputs,
        audience: audiences,
        variant: abVariants,
        open: deliveries,
        busy: sql<boolean>`coalesce(${busy}, false)`,
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
          // As isSameName says: a thousand lists of one output are not read to find one.
          externalId === null
            ? undefined
            : or(isNull(connections.externalId), eq(connections.externalId, externalId)),
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

/** Keeps what it sent. */
const IS_LIVE = inArray(connections.status, LIVE_STATUSES);

/** A process that died is not under way. */
const IS_RUNNING = and(eq(deliveries.state, 'running'), gt(deliveries.leaseUntil, sql`now()`));

/**
 * The version that a connection has at its partner, or will have once what it began is at its end: that always is brought
 * to its end, so whoever leaves by it is not kept, and whoever comes is. 0: none.
 */
function versionMeant(
  { deliveredVersion }: Pick<DeliveryOrder['connection'], 'deliveredVersion'>,
  open: Pick<DeliveryOrder['delivery'], 'toVersion' | 'touchedAt'> | null,
): number {
  return open && open.touchedAt !== null ? open.toVersion : deliveredVersion;
}

/** Versions whose members a connection may have at its partner; empty: none. */
export function versionsReached(
  { deliveredVersion }: Pick<DeliveryOrder['connection'], 'deliveredVersion'>,
  open: Pick<DeliveryOrder['delivery'], 'toVersion' | 'touchedAt'> | null | undefined,
): number[] {
  const begun = open && open.touchedAt !== null ? open.toVersion : 0;
  return [...new Set([deliveredVersion, begun])].filter((version) => version > 0);
}
