import { and, asc, eq, gt, inArray, isNull, notExists, sql } from 'drizzle-orm';
import { inTargetSql, targetOfVariant } from '../../../domain/audiences/index.js';
import { cycleMsOf, dueSlots, inSlicesSql } from '../../../domain/heartbeats/index.js';
import {
  InvalidSettingsError,
  parseConnectionSettings,
  parseSettings,
  type PluginRegistry,
} from '../../../host/registry/index.js';
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
import { readLastSent } from './last-sent.js';

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
    const expireAfterMs = this.expiryOf(candidate);
    if (expireAfterMs === undefined) return;
    const nowMs = this.parts.clock.now().getTime();
    const { connection, beats } = candidate;
    if (beats === null) return this.begin(connection, nowMs);
    const due = dueSlots(expireAfterMs, { sinceMs: beats.sinceMs, done: beats.slots }, nowMs);
    if (Object.keys(due).length === 0) return;
    const cycleAgo = new Date(nowMs - cycleMsOf(expireAfterMs));
    const sent = await readLastSent(this.parts.db, connection.id, cycleAgo);
    if (sent.everybody || sent.version === 0) return this.pass(connection.id, due);
    // A whole state is everybody's turn; those of the other slices are passed by then.
    const nobody = !sent.byWholeStates && (await this.count(candidate, sent.version, due)) === 0;
    await (nobody ? this.pass(connection.id, due) : this.deliver(candidate, sent.version, due));
  }

  /** Undefined: the partner forgets nobody, or nobody can say; its deliveries tell what is wrong with the settings. */
  private expiryOf({ connection, output }: Candidate): number | undefined {
    const plugin = this.parts.registry.all().find(({ id }) => id === output.plugin);
    if (plugin?.kind !== 'output' || !plugin.expireAfterMs) return undefined;
    try {
      const settings = parseSettings(plugin, output.settings);
      return plugin.expireAfterMs(settings, parseConnectionSettings(plugin, connection.settings));
    } catch (error) {
      if (error instanceof InvalidSettingsError) return undefined;
      throw error;
    }
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
