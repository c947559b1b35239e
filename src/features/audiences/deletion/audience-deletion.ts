import { Injectable } from '@nestjs/common';
import { and, desc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { CLEAN_UP } from '../../../domain/audiences/index.js';
import { HubError, type FieldProblem } from '../../../domain/errors/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  abTests,
  abVariants,
  audiences,
  connections,
  exportsTable,
  imports,
  sources,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { ConnectionRemovals, type GoingConnection } from '../../connections/index.js';
import type { Principal } from '../../tenancy/index.js';
import { AudienceRecords } from '../audience-records.js';
import { noteRemovals } from './audience-removals.js';
import type { DeletionView, GoingConnectionView } from './deletion.dto.js';

/** Deletes audiences, after saying what goes with them. */
@Injectable()
export class AudienceDeletion {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    private readonly records: AudienceRecords,
    private readonly removals: ConnectionRemovals,
  ) {}

  /** What goes with the audience, or will not come again, and what becomes of what was sent. */
  async preview(principal: Principal, id: number): Promise<DeletionView> {
    await this.records.require(principal, id);
    const going = await this.removals.foresee(eq(connections.audienceId, id), principal.name);
    return { connections: going.map(showGoing), ...(await consequences(this.db, id)) };
  }

  /**
   * One transaction makes the audience vanish for readers, ends its work, and bars its source keys where
   * the layout says so. What was sent is removed at the partners; then members and rows are deleted, by work that may be
   * run again. Without `confirmed`: IN_USE where something goes with it.
   */
  async delete(principal: Principal, id: number, confirmed: boolean): Promise<DeletionView> {
    const { audience } = await this.records.require(principal, id);
    const which = eq(connections.audienceId, id);
    const foreseen = await this.removals.foresee(which, principal.name);
    const found = { connections: foreseen.map(showGoing), ...(await consequences(this.db, id)) };
    if (!confirmed) refuseUnconfirmed(id, found);
    const begun = await this.db.transaction(async (tx) => {
      await this.hide(tx, id);
      const removing = await this.removals.begin(tx, which, foreseen, principal.name);
      const by = { by: principal.name, at: this.clock.now() };
      await noteRemovals(tx, audience, { ...by, going: removing.going });
      return removing;
    });
    await this.removals.wake(begun);
    await this.queue.enqueue({ kind: CLEAN_UP, id: String(id) });
    return { ...found, connections: begun.going.map(showGoing) };
  }

  /** Imports before the audience, and exports after it: the order in which their own work takes them. */
  private async hide(tx: Transaction, id: number): Promise<void> {
    const now = this.clock.now();
    const message = 'The audience was deleted.';
    const error = { code: 'AUDIENCE_DELETED', message };
    const free = { leaseOwner: null, leaseUntil: null };
    await tx
      .update(imports)
      .set({ state: 'discarded', error, finishedAt: now, ...free })
      .where(and(eq(imports.audienceId, id), inArray(imports.state, ['queued', 'running', 'held'])));
    const keys = await barredSources(tx, id);
    const hidden = await tx
      .update(audiences)
      .set({ deletedAt: now, updatedAt: now })
      .where(and(eq(audiences.id, id), isNull(audiences.deletedAt)))
      .returning({ workspaceId: audiences.workspaceId, name: audiences.name });
    const [gone] = hidden;
    if (!gone) return;
    await recordAudit(tx, {
      action: 'audience.delete',
      object: { type: 'audience', id },
      workspaceId: gone.workspaceId,
      changes: { name: { from: gone.name } },
    });
    if (keys.length > 0) {
      const ids = keys.map((source) => source.id);
      await tx.update(sources).set({ tombstonedAt: now }).where(inArray(sources.id, ids));
    }
    // A key that is not barred makes a new audience with its next file.
    await tx.update(sources).set({ audienceId: null }).where(eq(sources.audienceId, id));
    await tx
      .update(exportsTable)
      .set({ state: 'failed', error, finishedAt: now, ...free })
      .where(openExportsOf(id));
  }
}

function showGoing({ id, output, variant, status, removal }: GoingConnection): GoingConnectionView {
  return { id, output, ...(variant === null ? {} : { variant }), status, removal };
}

async function consequences(
  db: Database | Transaction,
  id: number,
): Promise<Omit<DeletionView, 'connections'>> {
  const open = await db
    .select({ id: exportsTable.id, state: exportsTable.state })
    .from(exportsTable)
    .where(openExportsOf(id))
    .orderBy(exportsTable.createdAt);
  const variants = await db
    .select({ name: abVariants.name })
    .from(abVariants)
    .innerJoin(abTests, eq(abTests.id, abVariants.testId))
    .where(and(eq(abTests.audienceId, id), isNull(abTests.deletedAt)))
    .orderBy(abVariants.position);
  const barred = await barredSources(db, id);
  return {
    exports: open,
    ...(variants.length === 0 ? {} : { variants: variants.map(({ name }) => name) }),
    barredKeys: barred.map((source) => source.key),
  };
}

/** Sources of the audience whose layout bars a key once its audience is deleted. */
async function barredSources(db: Database | Transaction, id: number): Promise<{ id: string; key: string }[]> {
  const rows = await db
    .selectDistinctOn([sources.id], {
      id: sources.id,
      key: sources.key,
      bars: sql<boolean>`coalesce((${imports.source} ->> 'tombstones')::boolean, false)`,
    })
    .from(sources)
    .innerJoin(imports, eq(imports.sourceId, sources.id))
    .where(eq(sources.audienceId, id))
    .orderBy(sources.id, desc(imports.sequence));
  return rows.filter((row) => row.bars);
}

function openExportsOf(id: number) {
  return and(
    inArray(exportsTable.state, ['queued', 'running']),
    sql`${exportsTable.audienceIds} @> ${JSON.stringify([id])}::jsonb`,
  );
}

function refuseUnconfirmed(id: number, found: DeletionView): void {
  const errors: FieldProblem[] = [
    ...found.connections.map(({ output, variant, status }) => ({
      field: 'connections',
      message: `${output}${variant === undefined ? '' : `, variant ${variant}`} (${status})`,
    })),
    ...found.exports.map((open) => ({ field: 'exports', message: `${open.id} (${open.state})` })),
    ...(found.variants ?? []).map((name) => ({ field: 'abTest', message: `variant ${name}` })),
    ...found.barredKeys.map((key) => ({ field: 'barredKeys', message: key })),
  ];
  if (errors.length === 0) return;
  throw new HubError(
    'IN_USE',
    `With audience ${id} go ${found.connections.length} connections, ${found.exports.length} open exports and ` +
      `${found.variants === undefined ? 'no A/B test' : 'its A/B test'}, ` +
      `and ${found.barredKeys.length} source keys make no audience again. Repeat the call with confirm=true.`,
    errors,
  );
}
