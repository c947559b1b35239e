import { and, asc, eq, gt, inArray, isNull, notExists, sql } from 'drizzle-orm';
import { inTargetSql, targetOfVariant } from '../../../domain/audiences/index.js';
import { inSlicesSql } from '../../../domain/heartbeats/index.js';
import type { PluginRegistry } from '../../../host/registry/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  abVariants,
  audiences,
  connections,
  connectionUpkeep,
  outputs,
  workspaces,
  type Database,
  type Heartbeats as Beats,
} from '../../../platform/database/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { makeDeliveries, openDelivery, slotsDoneSql } from '../../deliveries/index.js';
import type { Ledger } from '../../ledger/index.js';
import type { UpkeepSubject } from '../upkeep-subject.js';
import { expiryOf, readDueHeartbeats } from './due-heartbeats.js';

/** A connection that may have heartbeats due. */
interface Candidate extends UpkeepSubject {
  identitySequence: number;
  beats: Beats | null;
}

type Slots = Record<string, number>;

/** Connections that are read at once. */
const PAGE = 500;

/**
 * Makes deliveries that add members again before their partner forgets them: slice after slice, only who was not added
 * within a cycle. Whoever runs it and however often, each turn of a slice is one delivery: a connection has one open
 * delivery at a time, and its end writes down which turns it was.
 */
export class Heartbeats {
  constructor(
    private readonly parts: {
      db: Database;
      ledger: Ledger;
      registry: PluginRegistry;
      queue: WorkQueue;
      clock: Clock;
    },
  ) {}

  /** To be called often against the length of a slot. */
  async wakeAll(signal?: AbortSignal): Promise<void> {
    for (let after = ''; ;) {
      const page = await this.candidates(after);
      for (const one of page) {
        if (signal?.aborted) return;
        await this.wake(one);
      }
      after = page.at(-1)?.connection.id ?? '';
      if (page.length < PAGE) return;
    }
  }

  private async wake(candidate: Candidate): Promise<void> {
    const { db, registry, clock } = this.parts;
    const nowMs = clock.now().getTime();
    const { connection, beats } = candidate;
    if (beats === null) {
      if (expiryOf(registry, candidate) !== undefined) await this.begin(connection, nowMs);
      return;
    }
    const due = await readDueHeartbeats(db, registry, candidate, nowMs);
    if (!due) return;
    const { slots, since, byWholeStates } = due;
    if (since === undefined) return this.pass(connection.id, slots);
    // A whole state is everybody's turn; those of the other slices are passed by then.
    const nobody = !byWholeStates && (await this.count(candidate, since, slots)) === 0;
    await (nobody ? this.pass(connection.id, slots) : this.deliver(candidate, since, slots));
  }

  /** From now on its slices have turns. */
  private async begin({ id: connectionId, workspaceId }: Candidate['connection'], sinceMs: number) {
    const heartbeats: Beats = { sinceMs, slots: {} };
    await this.parts.db
      .insert(connectionUpkeep)
      .values({ connectionId, workspaceId, heartbeats })
      .onConflictDoUpdate({
        target: connectionUpkeep.connectionId,
        set: { heartbeats },
        setWhere: isNull(connectionUpkeep.heartbeats),
      });
  }

  /** Turns in which there is nobody to add. */
  private async pass(connectionId: string, slots: Slots): Promise<void> {
    await this.parts.db
      .update(connectionUpkeep)
      .set({ heartbeats: slotsDoneSql(slots) })
      .where(
        and(
          eq(connectionUpkeep.connectionId, connectionId),
          sql`not exists (select 1 from jsonb_each_text(${connectionUpkeep.heartbeats}->'slots') as had(slice, ms)
            where had.ms::bigint > (${JSON.stringify(slots)}::text::jsonb->>had.slice)::bigint)`,
        ),
      );
  }

  private count({ connection, audience, variant, workspace }: Candidate, since: number, slots: Slots) {
    const key = { audienceId: audience.id, workspace };
    const { deliveredVersion: from } = connection;
    const slices = inSlicesSql(Object.keys(slots).map(Number));
    const condition = `${inTargetSql(targetOfVariant(variant), 'mpid')} AND ${slices}`;
    return this.parts.ledger.count(key, { what: 'again', since, from, to: audience.version }, condition);
  }

  private async deliver(
    { connection, audience, identitySequence }: Candidate,
    since: number,
    slots: Slots,
  ): Promise<void> {
    const { id: connectionId, workspaceId, deliveredVersion, deliveredIdentities } = connection;
    await makeDeliveries(this.parts.db, this.parts.queue, [
      {
        workspaceId,
        connectionId,
        fromVersion: deliveredVersion,
        toVersion: audience.version,
        fromIdentities: deliveredIdentities,
        toIdentities: identitySequence,
        sendsAgain: { heartbeat: { since: Math.min(since, deliveredVersion), slots } },
      },
    ]);
  }

  /** Whose outputs may say that members expire, in the order of their ids. What is open ends first. */
  private async candidates(after: string): Promise<Candidate[]> {
    const { db, registry } = this.parts;
    const forgetting = registry
      .all()
      .flatMap((plugin) => (plugin.kind === 'output' && plugin.expireAfterMs ? [plugin.id] : []));
    if (forgetting.length === 0) return [];
    return db
      .select({
        connection: connections,
        output: outputs,
        audience: audiences,
        variant: abVariants,
        workspace: workspaces.number,
        identitySequence: workspaces.identitySequence,
        beats: connectionUpkeep.heartbeats,
      })
      .from(connections)
      .innerJoin(outputs, eq(outputs.id, connections.outputId))
      .innerJoin(audiences, eq(audiences.id, connections.audienceId))
      .innerJoin(workspaces, eq(workspaces.id, connections.workspaceId))
      .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
      .leftJoin(connectionUpkeep, eq(connectionUpkeep.connectionId, connections.id))
      .where(
        and(
          eq(connections.status, 'active'),
          gt(connections.deliveredVersion, 0),
          isNull(audiences.deletedAt),
          inArray(outputs.plugin, forgetting),
          after === '' ? undefined : gt(connections.id, after),
          notExists(openDelivery(db)),
        ),
      )
      .orderBy(asc(connections.id))
      .limit(PAGE);
  }
}
