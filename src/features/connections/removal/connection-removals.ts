import { Injectable } from '@nestjs/common';
import { and, eq, inArray, type SQL } from 'drizzle-orm';
import { recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  abVariants,
  audiences,
  connections,
  deliveries,
  LIVE_STATUSES,
  OPEN_DELIVERY_STATES,
  outputs,
  type ConnectionRemoval,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import {
  endConnection,
  lockWithDelivery,
  noteEnd,
  RemovalForecast,
  RemovalPlanner,
  versionsReached,
  type ForecastInWords,
} from '../../deliveries/index.js';
import { FaultLog } from '../../faults/index.js';
import { showRemoval, type RemovalView } from './removal.dto.js';

type Connection = typeof connections.$inferSelect;
type Delivery = typeof deliveries.$inferSelect;

/** A connection that goes, and what becomes of what it had sent. */
export interface GoingConnection {
  id: string;
  output: string;
  variantId: string | null;
  variant: string | null;
  status: Connection['status'];
  removal: RemovalView;
}

/** What begins with a deletion: who goes, and the deliveries to put into the queue after the transaction. */
export interface BegunRemovals {
  going: GoingConnection[];
  hints: string[];
}

/** Deletes connections: what they had sent is removed at their partners, and the answer says what becomes of it. */
@Injectable()
export class ConnectionRemovals {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    private readonly forecasts: RemovalForecast,
    private readonly planner: RemovalPlanner,
    private readonly faults: FaultLog,
  ) {}

  /** The live connections that `which` finds, and what would become of what each had sent. Changes nothing. */
  async foresee(which: SQL | undefined, by: string): Promise<GoingConnection[]> {
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
      .where(and(which, inArray(connections.status, LIVE_STATUSES)))
      .orderBy(outputs.name, connections.createdAt, connections.id);
    const going: GoingConnection[] = [];
    for (const row of rows) {
      const { id, status, variantId } = row.connection;
      const words = isUnsent(row.connection, row.open ?? undefined)
        ? NOTHING
        : await this.forecasts.inWords(row, versionsReached(row.connection, row.open));
      const variant = row.variant?.name ?? null;
      const removal = showRemoval(removalOf(words, by), { since: null, finishedAt: null });
      going.push({ id, output: row.output.name, variantId, variant, status, removal });
    }
    return going;
  }

  /**
   * As part of a deletion: nothing more is sent by the live connections that `which` finds, and the removals begin.
   * `foreseen`: what {@link foresee} said of them before the transaction.
   */
  async begin(
    tx: Transaction,
    which: SQL | undefined,
    foreseen: readonly GoingConnection[],
    by: string,
  ): Promise<BegunRemovals> {
    const begun: BegunRemovals = { going: [], hints: [] };
    for (const one of await this.stillLive(tx, which, foreseen, by)) {
      const { connection, open } = await lockWithDelivery(tx, one.id);
      if (!connection || connection.status === 'removing' || connection.status === 'removed') continue;
      const now = this.clock.now();
      await note(tx, connection);
      if (isUnsent(connection, open)) {
        // Nothing to tell of is left.
        await tx.delete(connections).where(eq(connections.id, one.id));
        const removal = showRemoval(
          { ...removalOf(NOTHING, by), outcome: 'never_sent' },
          { since: now, finishedAt: now },
        );
        begun.going.push({ ...one, status: 'removed', removal });
        continue;
      }
      const { stays, sharedWith } = one.removal;
      const removal = { requestedBy: by, plan: planOf(one.removal), stays, sharedWith, outcome: null };
      await tx
        .update(connections)
        .set({ status: 'removing', removingSince: now, removal, updatedAt: now })
        .where(eq(connections.id, one.id));
      const made = await this.planner.begin(tx, connection, open);
      if (made !== undefined) begun.hints.push(made);
      const view = showRemoval(removal, { since: now, finishedAt: null });
      begun.going.push({ ...one, status: 'removing', removal: view });
    }
    return begun;
  }

  /** With those that were connected since they were looked at. */
  private async stillLive(
    tx: Transaction,
    which: SQL | undefined,
    foreseen: readonly GoingConnection[],
    by: string,
  ): Promise<GoingConnection[]> {
    const rows = await tx
      .select({ connection: connections, output: outputs.name, variant: abVariants.name })
      .from(connections)
      .innerJoin(outputs, eq(outputs.id, connections.outputId))
      .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
      .where(and(which, inArray(connections.status, LIVE_STATUSES)))
      .orderBy(outputs.name, connections.createdAt, connections.id);
    const known = new Map(foreseen.map((one) => [one.id, one]));
    const removal = showRemoval(removalOf(UNKNOWN, by), { since: null, finishedAt: null });
    return rows.map(({ connection: { id, variantId, status }, output, variant }) => {
      return known.get(id) ?? { id, output, variantId, variant, status, removal };
    });
  }

  /** After the transaction. What is missed here is found by the next sweep. */
  async wake({ hints }: Pick<BegunRemovals, 'hints'>): Promise<void> {
    for (const id of hints) await this.queue.enqueue({ kind: 'delivery', id });
  }

  /** Ends the connection at once; what the partner has stays there. */
  async giveUp(tx: Transaction, id: string, by: string): Promise<void> {
    const { connection, open } = await lockWithDelivery(tx, id);
    if (!connection || connection.status === 'removed') return;
    const now = this.clock.now();
    if (connection.status !== 'removing') await note(tx, connection);
    if (open) {
      // Whoever works on it finds its lease lost, and stops.
      const ended = {
        state: 'cancelled',
        finishedAt: now,
        notBefore: null,
        leaseOwner: null,
        leaseUntil: null,
      } as const;
      await tx.update(deliveries).set(ended).where(eq(deliveries.id, open.id));
    }
    await this.faults.endWithRemoval(tx, id);
    const plan = connection.removal?.plan ?? null;
    const taken = open?.kind === 'removal' ? open.accepted : 0;
    const stays = [
      `What was sent, but for ${taken} members who had been taken out before: ${by} gave up the removal.`,
    ];
    const sharedWith = connection.removal?.sharedWith ?? [];
    const outcome = 'given_up' as const;
    await tx
      .update(connections)
      .set({ removingSince: connection.removingSince ?? now })
      .where(eq(connections.id, id));
    await endConnection(tx, id, { requestedBy: by, plan, stays, sharedWith, outcome }, now);
    await noteEnd(tx, connection, { plan, outcome, ...(open?.kind === 'removal' ? { counts: open } : {}) });
  }
}

const UNKNOWN: ForecastInWords = { plan: null, stays: [], sharedWith: [] };
const NOTHING: ForecastInWords = { plan: { members: 'none', list: 'none' }, stays: [], sharedWith: [] };

function removalOf({ plan, stays, sharedWith }: ForecastInWords, requestedBy: string): ConnectionRemoval {
  return { requestedBy, plan, stays, sharedWith, outcome: null };
}

function planOf({ members, list, because }: RemovalView): ConnectionRemoval['plan'] {
  return members === null || list === null
    ? null
    : { members, list, ...(because === null ? {} : { because }) };
}

/** Nothing of it can be at the partner. What runs may be about to send. */
function isUnsent({ externalId, deliveredVersion }: Connection, open: Delivery | undefined): boolean {
  return (
    externalId === null &&
    deliveredVersion === 0 &&
    (open === undefined || (open.state !== 'running' && open.touchedAt === null))
  );
}

async function note(tx: Transaction, { id, workspaceId, ...connection }: Connection): Promise<void> {
  const { audienceId, outputId, variantId, status } = connection;
  await recordAudit(tx, {
    action: 'connection.delete',
    object: { type: 'connection', id },
    workspaceId,
    changes: {
      audienceId: { from: audienceId },
      outputId: { from: outputId },
      ...(variantId === null ? {} : { variantId: { from: variantId } }),
      status: { from: status },
    },
  });
}
