import { and, eq, inArray } from 'drizzle-orm';
import {
  audiences,
  deliveries,
  deliveryBatches,
  erasureReceipts,
  type Database,
  OPEN_DELIVERY_STATES,
} from '../../platform/database/index.js';
import type { Leases } from '../../platform/lease/index.js';
import { stoppable, type Warehouse } from '../../platform/warehouse/index.js';
import { announceTaught, registerDecisions } from '../imports/index.js';
import { identityLease, keepSequence } from '../ledger/index.js';
import type { ErasureKey, ErasurePeople } from './erasure-people.js';
import { pseudonymise } from './pseudonymise.js';

/** mpids of one statement. */
const PAGE = 5000;

export interface Erased {
  key: ErasureKey;
  workspaceId: string;
}

/** Deletes what the hub knows of people who are out of every audience. Cut short anywhere, it is done again. */
export class ForgetPeople {
  constructor(
    private readonly parts: {
      db: Database;
      warehouse: Warehouse;
      leases: Leases;
      people: ErasurePeople;
    },
  ) {}

  /** False where a delivery that nobody waits for runs at this moment: to be asked again. */
  async forget({ key, workspaceId }: Erased, signal: AbortSignal): Promise<boolean> {
    const { db, leases, people, warehouse } = this.parts;
    if ((await this.unwaitedDeliveries(key)).some(({ state }) => state === 'running')) return false;
    const tables = await this.tablesOfPeople();
    await leases.exclusively(identityLease(key.workspace), signal, async (held) => {
      const own = stoppable(warehouse, held);
      // What a dead import has set down would be registered after them.
      await registerDecisions(own, key.workspace, announceTaught(db, workspaceId));
      await keepSequence(own, key.workspace);
      for await (const mpids of this.pages(key)) {
        for (const table of tables) await deletePeople(own, table, `workspace = ${key.workspace}`, mpids);
      }
    });
    const all = await this.audiencesOf(workspaceId);
    for await (const mpids of this.pages(key)) {
      signal.throwIfAborted();
      if (all.length > 0)
        await deletePeople(warehouse, 'ledger', `audience_id IN (${all.join(', ')})`, mpids);
      await pseudonymise(db, workspaceId, mpids);
    }
    await this.beginAnew(key);
    await people.forget(key);
    return true;
  }

  /** Every table that says something of profiles; `profiles` last: it tells that there is something left to erase. */
  private async tablesOfPeople(): Promise<string[]> {
    const rows = await this.parts.warehouse.query<{ table: string }>(
      `SELECT table FROM system.columns WHERE database = currentDatabase() AND name IN ('workspace', 'mpid')
       GROUP BY table HAVING count() = 2 AND NOT startsWith(table, 'erasure_') ORDER BY table = 'profiles', table`,
    );
    return rows.map(({ table }) => table);
  }

  private async *pages(key: ErasureKey): AsyncGenerator<string[]> {
    for (let after: string | null = null; ;) {
      const page = await this.parts.people.mpids(key, after, PAGE);
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      after = page.at(-1) ?? null;
    }
  }

  /** Deleted ones too: their members go later. */
  private async audiencesOf(workspaceId: string): Promise<number[]> {
    const rows = await this.parts.db
      .select({ id: audiences.id })
      .from(audiences)
      .where(eq(audiences.workspaceId, workspaceId));
    return rows.map(({ id }) => id);
  }

  /** Open deliveries that were to take them out, and whose receipt an admin waived. */
  private unwaitedDeliveries({ id }: ErasureKey) {
    return this.parts.db
      .select({ id: deliveries.id, kind: deliveries.kind, state: deliveries.state })
      .from(deliveries)
      .innerJoin(
        erasureReceipts,
        and(eq(erasureReceipts.connectionId, deliveries.connectionId), eq(erasureReceipts.erasureId, id)),
      )
      .where(and(eq(erasureReceipts.state, 'waived'), inArray(deliveries.state, OPEN_DELIVERY_STATES)));
  }

  /**
   * Has such deliveries plan again, from their beginning: what they had counted is not what is there any more. Whom they
   * had sent goes out under the same batch ids.
   */
  private async beginAnew(key: ErasureKey): Promise<void> {
    for (const { id, kind } of await this.unwaitedDeliveries(key)) {
      await this.parts.db.transaction(async (tx) => {
        const counts = { planned: null, accepted: 0, rejected: 0, skipped: 0 };
        const begun = await tx
          .update(deliveries)
          .set({ ...counts, cursor: { operation: kind === 'removal' ? 'remove' : 'add', afterMpid: null } })
          .where(and(eq(deliveries.id, id), inArray(deliveries.state, ['queued', 'faulted'])))
          .returning({ id: deliveries.id });
        if (begun.length > 0) await tx.delete(deliveryBatches).where(eq(deliveryBatches.deliveryId, id));
      });
    }
  }
}

async function deletePeople(
  warehouse: Warehouse,
  table: string,
  where: string,
  mpids: readonly string[],
): Promise<void> {
  const numbers = mpids.map((mpid) => `toInt64('${BigInt(mpid)}')`).join(', ');
  await warehouse.command(`ALTER TABLE ${table} DELETE WHERE ${where} AND mpid IN (${numbers})`, {
    settings: { mutations_sync: 2 },
    lane: 'bulk',
  });
}
