import { and, eq, inArray, sql } from 'drizzle-orm';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { erasures, workspaces, type Database, type ErasureStep } from '../../platform/database/index.js';
import { ShutdownError, type WorkQueue } from '../../platform/queue/index.js';
import type { Leases } from '../../platform/lease/index.js';
import type { Logger } from '../../platform/log/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import type { DeliveryPlanner } from '../deliveries/index.js';
import { identityLease } from '../ledger/index.js';
import { announceTaught, registerDecisions } from '../imports/index.js';
import type { ErasureKey, ErasurePeople } from './erasure-people.js';
import type { ForgetPeople } from './forget-people.js';
import { importsInFlight } from './imports-in-flight.js';
import type { LeaveAudiences } from './leave-audiences.js';
import type { Receipts } from './receipts.js';

type ErasureRow = typeof erasures.$inferSelect;

/** What is being done, and for whom. */
interface Work {
  row: ErasureRow;
  key: ErasureKey;
}

/** Where a step leads: to the next one, to its own again later, or to the end. */
type Next = ErasureStep | 'later' | 'done';

/** States of work that goes on. */
export const OPEN_STATES = ['queued', 'running', 'waiting'] as const;
/** Failures in a row before somebody has to look. */
const MAX_FAILURES = 8;
const SOON_MS = 500;
const LATEST_MS = 60_000;

/**
 * Does what an erasure asks for, step by step; the row says which is next, and each may be run again. Suppressing ends
 * after the same steps, but forgets nobody.
 */
export class ErasureRunner {
  constructor(
    private readonly parts: {
      db: Database;
      warehouse: Warehouse;
      queue: WorkQueue;
      leases: Leases;
      clock: Clock;
      log: Logger;
      planner: DeliveryPlanner;
      people: ErasurePeople;
      audiences: LeaveAudiences;
      receipts: Receipts;
      forgetting: ForgetPeople;
    },
  ) {}

  /** Handler of the queue's kind `erasure`. May be called at any time, any number of times. */
  async run(id: string, signal: AbortSignal): Promise<void> {
    await this.parts.leases.unlessHeld(`erasure:${id}`, signal, async ({ signal: held }) => {
      try {
        await this.steps(id, held);
      } catch (error) {
        if (!held.aborted) await this.failed(id, error);
      }
    });
  }

  /** Ids of what is not at its end, oldest first. */
  async open(limit: number): Promise<string[]> {
    const rows = await this.parts.db
      .select({ id: erasures.id })
      .from(erasures)
      .where(inArray(erasures.state, [...OPEN_STATES]))
      .orderBy(erasures.createdAt)
      .limit(limit);
    return rows.map((row) => row.id);
  }

  private async steps(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const work = await this.load(id);
      if (work === undefined) return;
      if (work.row.state === 'queued')
        await this.set(id, { state: 'running', startedAt: this.parts.clock.now() });
      const next = await this.one(work, signal);
      signal.throwIfAborted();
      if (next === 'done') return this.end(work);
      if (next === 'later') return this.wait(work);
      await this.set(id, { step: next, state: 'running', failures: 0, error: null });
    }
  }

  private one(work: Work, signal: AbortSignal): Promise<Next> {
    switch (work.row.step) {
      case 'find':
        return this.find(work, signal);
      case 'leave':
        return this.leave(work, signal);
      case 'list':
        return this.list(work);
      case 'await':
        return this.settle(work, signal);
      case 'forget':
        return this.forget(work, signal);
    }
  }

  /** From the end of this on, no import brings them in: it looks at the suppressions, or finds the revision moved. */
  private async find({ key, row }: Work, signal: AbortSignal): Promise<Next> {
    const { db, leases, people, warehouse } = this.parts;
    const profiles = await leases.exclusively(identityLease(key.workspace), signal, async () => {
      await registerDecisions(warehouse, key.workspace, announceTaught(db, row.workspaceId));
      await people.suppress(key);
      return people.find(key);
    });
    await db.transaction(async (tx) => {
      const [moved] = await tx
        .update(workspaces)
        .set({ suppressionsRevision: sql`${workspaces.suppressionsRevision} + 1` })
        .where(eq(workspaces.id, row.workspaceId))
        .returning({ revision: workspaces.suppressionsRevision });
      if (moved) {
        await tx.update(erasures).set({ profiles, revision: moved.revision }).where(eq(erasures.id, row.id));
      }
    });
    return 'leave';
  }

  private async leave({ key, row }: Work, signal: AbortSignal): Promise<Next> {
    const { audiences, planner } = this.parts;
    for (const { id } of await audiences.touched(key, row.workspaceId)) {
      signal.throwIfAborted();
      if (await audiences.leave(key, id, signal)) await planner.wake(id);
    }
    return 'list';
  }

  private async list({ key, row }: Work): Promise<Next> {
    const { audiences, receipts } = this.parts;
    await receipts.list(key, await audiences.touched(key, row.workspaceId));
    return 'await';
  }

  /** Somebody may have come in again by a version that was being written: then they leave again first. */
  private async settle(work: Work, signal: AbortSignal): Promise<Next> {
    const { key, row } = work;
    const inFlight = await importsInFlight(this.parts, row.workspaceId, row.revision ?? 0);
    await this.leave(work, signal);
    await this.list(work);
    const waiting = await this.parts.receipts.settle(key);
    return waiting > 0 || inFlight > 0 ? 'later' : 'forget';
  }

  private async forget({ key, row }: Work, signal: AbortSignal): Promise<Next> {
    const { forgetting, people } = this.parts;
    if (row.kind === 'suppress') {
      await people.forget(key);
      return 'done';
    }
    const done = await forgetting.forget({ key, workspaceId: row.workspaceId }, signal);
    return done ? 'done' : 'later';
  }

  private async end({ row }: Work): Promise<void> {
    const { db, clock, log } = this.parts;
    await db.transaction(async (tx) => {
      const ended = await tx
        .update(erasures)
        .set({ state: 'done', finishedAt: clock.now(), error: null, failures: 0 })
        .where(and(eq(erasures.id, row.id), inArray(erasures.state, [...OPEN_STATES])))
        .returning({ id: erasures.id });
      if (ended.length === 0) return;
      await recordAudit(tx, {
        action: row.kind === 'erase' ? 'erasure.done' : 'suppression.done',
        object: { type: 'erasure', id: row.id },
        workspaceId: row.workspaceId,
        changes: { profiles: { to: row.profiles }, audiences: { to: row.audiences } },
      });
    });
    log.info({ erasureId: row.id, kind: row.kind, profiles: row.profiles }, 'people left');
  }

  private async wait({ row }: Work): Promise<void> {
    await this.set(row.id, { state: 'waiting', failures: 0, error: null });
    const { queue, clock } = this.parts;
    // The longer it waits, the less often it looks.
    const ageMs = clock.now().getTime() - row.createdAt.getTime();
    const delayMs = Math.min(LATEST_MS, Math.max(SOON_MS, ageMs / 10));
    await queue.enqueue({ kind: 'erasure', id: row.id }, { delayMs });
  }

  private async failed(id: string, error: unknown): Promise<void> {
    const { db, log, queue } = this.parts;
    if (error instanceof ShutdownError) return;
    log.error({ erasureId: id, err: error }, 'an erasure step failed');
    const [row] = await db
      .update(erasures)
      .set({ failures: sql`${erasures.failures} + 1`, error: FAILED })
      .where(eq(erasures.id, id))
      .returning({ failures: erasures.failures });
    const failures = row?.failures ?? MAX_FAILURES;
    if (failures >= MAX_FAILURES) await this.set(id, { state: 'failed' });
    else
      await queue.enqueue({ kind: 'erasure', id }, { delayMs: Math.min(LATEST_MS, SOON_MS * 2 ** failures) });
  }

  private async set(id: string, set: Partial<ErasureRow>): Promise<void> {
    await this.parts.db
      .update(erasures)
      .set(set)
      .where(and(eq(erasures.id, id), inArray(erasures.state, [...OPEN_STATES])));
  }

  private async load(id: string): Promise<Work | undefined> {
    const [found] = await this.parts.db
      .select({ row: erasures, workspace: workspaces.number })
      .from(erasures)
      .innerJoin(workspaces, eq(workspaces.id, erasures.workspaceId))
      .where(and(eq(erasures.id, id), inArray(erasures.state, [...OPEN_STATES])));
    return found && { row: found.row, key: { id, workspace: found.workspace } };
  }
}

const FAILED = {
  code: 'UNEXPECTED',
  message:
    'A step failed; the log of this moment says more. It is tried again, and by POST /erasures/:id/retry.',
};
