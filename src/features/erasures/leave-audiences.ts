import { and, eq, exists, gt, isNull, or, sql } from 'drizzle-orm';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  audiences,
  audienceVersions,
  connections,
  erasures,
  type Database,
} from '../../platform/database/index.js';
import type { Leases } from '../../platform/lease/index.js';
import { stoppable, type Warehouse } from '../../platform/warehouse/index.js';
import { IN_ORDER, inAudienceTurn, Ledger, membersSql } from '../ledger/index.js';
import { leavingSql, type ErasureKey } from './erasure-people.js';

/** An audience that has, or had, some of the people. */
export interface TouchedAudience {
  id: number;
  /** Published version. */
  version: number;
  /** Version of the last change of one of them, up to the published one. */
  lastChange: number;
}

/** Takes people out of audiences, each by a version of its own. No guard holds it: it is what was asked for. */
export class LeaveAudiences {
  constructor(
    private readonly parts: {
      db: Database;
      warehouse: Warehouse;
      leases: Leases;
      clock: Clock;
    },
  ) {}

  /**
   * Audiences of the workspace whose ledger has one of the people. Of deleted ones those whose members are still being
   * removed at partners: the ledger knows who they are.
   */
  async touched(key: ErasureKey, workspaceId: string): Promise<TouchedAudience[]> {
    const published = await this.parts.db
      .select({ id: audiences.id, version: audiences.version })
      .from(audiences)
      .where(
        and(
          eq(audiences.workspaceId, workspaceId),
          or(isNull(audiences.deletedAt), exists(this.removing())),
          gt(audiences.version, 0),
        ),
      );
    if (published.length === 0) return [];
    const ids = published.map(({ id }) => id).join(', ');
    const versions = published.map(({ version }) => version).join(', ');
    const rows = await this.parts.warehouse.query<{ id: string | number; last: number }>(
      `SELECT audience_id AS id, max(version) AS last FROM ledger
       WHERE audience_id IN (${ids}) AND mpid IN (${leavingSql(key)})
         AND version <= transform(audience_id, [${ids}]::Array(UInt64), [${versions}]::Array(UInt32), toUInt32(0))
       GROUP BY audience_id ORDER BY audience_id`,
      { lane: 'bulk', settings: IN_ORDER },
    );
    const byId = new Map(published.map((audience) => [audience.id, audience.version]));
    return rows.map(({ id, last }) => ({
      id: Number(id),
      version: byId.get(Number(id)) ?? 0,
      lastChange: last,
    }));
  }

  /** Publishes a version without the people where some are members; true where it did. Run twice, it does so once. */
  async leave(key: ErasureKey, audienceId: number, signal: AbortSignal): Promise<boolean> {
    const { leases, clock } = this.parts;
    return inAudienceTurn(leases, audienceId, signal, async (held) => {
      const warehouse = stoppable(this.parts.warehouse, held);
      const ledger = new Ledger(warehouse);
      const audience = await this.visible(audienceId);
      if (audience === undefined) return false;
      const { version } = audience;
      const members = membersSql(audienceId, version, `mpid IN (${leavingSql(key)})`);
      const [found] = await warehouse.query<{ n: string }>(`SELECT count() AS n FROM (${members})`, {
        lane: 'bulk',
        settings: IN_ORDER,
      });
      if (Number(found?.n ?? 0) === 0) return false;
      await ledger.discardAbove(audienceId, version);
      await warehouse.command(
        `INSERT INTO ledger SELECT ${audienceId}, mpid, ${version + 1}, -1,
           fromUnixTimestamp64Milli(${clock.now().getTime()}, 'UTC') FROM (${members})`,
        { lane: 'bulk', settings: IN_ORDER },
      );
      const { removed } = await ledger.countsOf(audienceId, version + 1);
      held.signal.throwIfAborted();
      return this.publish(key, { id: audienceId, version }, removed);
    });
  }

  private removing() {
    return this.parts.db
      .select({ one: sql`1` })
      .from(connections)
      .where(and(eq(connections.audienceId, audiences.id), eq(connections.status, 'removing')));
  }

  private async visible(id: number) {
    const [audience] = await this.parts.db
      .select({ version: audiences.version })
      .from(audiences)
      .where(and(eq(audiences.id, id), isNull(audiences.deletedAt)));
    return audience;
  }

  private async publish(
    key: ErasureKey,
    from: { id: number; version: number },
    removed: number,
  ): Promise<boolean> {
    const { db, clock } = this.parts;
    return db.transaction(async (tx) => {
      const [audience] = await tx.select().from(audiences).where(eq(audiences.id, from.id)).for('update');
      if (!audience || audience.deletedAt || audience.version !== from.version) return false;
      const [version, size, now] = [from.version + 1, audience.size - removed, clock.now()];
      await tx.insert(audienceVersions).values({
        audienceId: from.id,
        version,
        erasureId: key.id,
        size,
        added: 0,
        removed,
        publishedAt: now,
      });
      await tx.update(audiences).set({ version, size, updatedAt: now }).where(eq(audiences.id, from.id));
      await tx
        .update(erasures)
        .set({ audiences: sql`${erasures.audiences} + 1` })
        .where(eq(erasures.id, key.id));
      await recordAudit(tx, {
        action: 'audience.people-left',
        object: { type: 'audience', id: from.id },
        workspaceId: audience.workspaceId,
        changes: {
          erasureId: { to: key.id },
          version: { from: from.version, to: version },
          members: { to: { removed } },
        },
      });
      return true;
    });
  }
}
