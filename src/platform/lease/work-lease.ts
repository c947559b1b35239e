import { and, eq, inArray, isNull, lt, or, sql, type SQL } from 'drizzle-orm';
import {
  deliveries,
  exportsTable,
  imports,
  rowsOf,
  type Database,
  type Transaction,
} from '../database/index.js';
import { LeaseLostError } from './lease-lost.js';
import type { Leases } from './leases.js';
import type { Held } from './renewal.js';
import { rowBefore } from './seat-turns.js';

/** Tables whose rows stand for work. */
const WORK_TABLES = { import: imports, delivery: deliveries, export: exportsTable } as const;
export type WorkKind = keyof typeof WORK_TABLES;

/**
 * Claims rows of work. A row is free when nobody holds its lease or the lease ran out; claiming, renewing
 * and letting go are single statements, so a process may die between any two of them.
 */
export class WorkLease {
  /** Moments before rows were claimed on which nobody works yet. */
  readonly #claimedAtMs = new Map<string, number>();

  constructor(
    private readonly db: Database,
    private readonly leases: Leases,
    readonly kind: WorkKind,
  ) {}

  private get table() {
    return WORK_TABLES[this.kind];
  }

  /** Takes the row and marks it `running`; false where it is not there, done, held, or not due yet. */
  async claim(id: string): Promise<boolean> {
    const askedAtMs = this.leases.nowMs();
    const taken = await this.db
      .update(this.table)
      .set({
        state: 'running',
        leaseOwner: this.leases.owner,
        leaseUntil: this.leases.until(),
        attempts: sql`${this.table.attempts} + 1`,
        startedAt: sql`coalesce(${this.table.startedAt}, now())`,
      })
      .where(and(eq(this.table.id, id), this.claimable()))
      .returning({ id: this.table.id });
    if (taken.length === 1) this.#claimedAtMs.set(id, askedAtMs);
    return taken.length === 1;
  }

  /**
   * Rows that wait for somebody: queued and due, or running with a lease that ran out. The oldest of each
   * workspace first, then the second of each, so that none is hidden behind the many of another.
   */
  async due(limit: number): Promise<string[]> {
    const { workspaceId, createdAt } = this.table;
    const place = sql`row_number() over (partition by ${workspaceId} order by ${createdAt})`;
    const rows = await this.db
      .select({ id: this.table.id })
      .from(this.table)
      .where(this.claimable())
      .orderBy(place, createdAt)
      .limit(limit);
    return rows.map((row) => row.id);
  }

  /** The row of another workspace whose turn is before that of the waiting row `id`; see {@link rowBefore}. */
  async before(id: string): Promise<string | undefined> {
    const [row] = rowsOf<{ id: string }>(await this.db.execute(rowBefore(this.table, id)));
    return row?.id;
  }

  /** Runs `work` while the claimed row's lease is renewed. */
  async during<T>(id: string, signal: AbortSignal, work: (held: Held) => Promise<T>): Promise<T> {
    const renewal = this.leases.keep(() => this.renew(id), this.#claimedAtMs.get(id));
    this.#claimedAtMs.delete(id);
    try {
      return await work(renewal.held(signal));
    } finally {
      renewal.stop();
    }
  }

  /** Gives a claimed row back so that another process may take it at once. */
  async giveBack(id: string): Promise<void> {
    await this.db
      .update(this.table)
      .set({ state: 'queued', leaseOwner: null, leaseUntil: null })
      .where(and(eq(this.table.id, id), this.mine(), eq(this.table.state, 'running')));
  }

  /** Gives back everything that is marked running. Only for a process that knows it is the only one. */
  async giveBackAll(): Promise<void> {
    await this.db
      .update(this.table)
      .set({ state: 'queued', leaseOwner: null, leaseUntil: null })
      .where(eq(this.table.state, 'running'));
  }

  /** Locks the row inside a transaction and throws where the lease is no longer ours. */
  async assertHeld(tx: Transaction, id: string): Promise<void> {
    const rows = await tx
      .select({ id: this.table.id })
      .from(this.table)
      .where(and(eq(this.table.id, id), this.mine()))
      .for('update');
    if (rows.length === 0) throw this.lost(id);
  }

  /** What holds of the row while its lease is ours, for a write that is a single statement; see {@link lost}. */
  isHeld(id: string): SQL | undefined {
    return and(eq(this.table.id, id), this.mine());
  }

  /** To be thrown where a write found no row that {@link isHeld}. */
  lost(id: string): LeaseLostError {
    return new LeaseLostError(`The lease of ${this.kind} ${id} was lost.`);
  }

  private async renew(id: string): Promise<boolean> {
    const kept = await this.db
      .update(this.table)
      .set({ leaseUntil: this.leases.until() })
      .where(and(eq(this.table.id, id), this.mine()))
      .returning({ id: this.table.id });
    return kept.length === 1;
  }

  private mine(): SQL {
    return eq(this.table.leaseOwner, this.leases.owner);
  }

  private claimable(): SQL | undefined {
    const free = or(isNull(this.table.leaseUntil), lt(this.table.leaseUntil, sql`now()`));
    const due = or(isNull(this.table.notBefore), lt(this.table.notBefore, sql`now()`));
    return and(inArray(this.table.state, ['queued', 'running']), free, due);
  }
}
