import { eq, lt, sql } from 'drizzle-orm';
import {
  askBudget,
  FRESH_BUDGET,
  pauseBudget,
  type BudgetAnswer,
  type BudgetState,
  type RateLimit,
} from '../../domain/rates/index.js';
import { rateBudgets, type Database, type Transaction } from '../database/index.js';
import type { BudgetStore } from './budget-store.js';

/** The database's own clock, which no two workers can disagree about; read once the row is locked. */
const NOW_MS = sql<string>`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`;

/**
 * Budgets in the metadata database, a row each, locked for the moment in which one asks: for any number of processes
 * on one PostgreSQL, and for an embedded hub that is killed and started again within a window.
 */
export class DatabaseBudgetStore implements BudgetStore {
  #cleared = false;

  constructor(private readonly db: Database) {}

  async ask(key: string, limit: RateLimit | undefined): Promise<BudgetAnswer> {
    if (!limit) return this.#look(key);
    await this.#clearOnce();
    return this.#change(key, (state, nowMs) => {
      const asked = askBudget(state, limit, nowMs);
      return { result: asked.answer, state: asked.state };
    });
  }

  async pause(key: string, pauseMs: number): Promise<void> {
    await this.#change(key, (state, nowMs) => ({
      result: undefined,
      state: pauseBudget(state, pauseMs, nowMs),
    }));
  }

  /** Is there a pause? Without a lock: whoever has no limit takes nothing. */
  async #look(key: string): Promise<BudgetAnswer> {
    const [row] = await this.db
      .select({ state: rateBudgets.state, nowMs: NOW_MS })
      .from(rateBudgets)
      .where(eq(rateBudgets.key, key));
    return askBudget(row?.state ?? FRESH_BUDGET, undefined, Number(row?.nowMs ?? 0)).answer;
  }

  #change<T>(
    key: string,
    change: (state: BudgetState, nowMs: number) => { result: T; state: BudgetState },
  ): Promise<T> {
    return this.db.transaction(async (tx) => {
      const locked = await lockRow(tx, key);
      const { result, state } = change(locked.state, locked.nowMs);
      if (state !== locked.state) {
        await tx.update(rateBudgets).set({ state }).where(eq(rateBudgets.key, key));
      }
      return result;
    });
  }

  /** Accounts whose credentials were changed leave a row behind. */
  async #clearOnce(): Promise<void> {
    if (this.#cleared) return;
    this.#cleared = true;
    await this.db.delete(rateBudgets).where(lt(rateBudgets.askedAt, sql`now() - interval '2 days'`));
  }
}

async function lockRow(tx: Transaction, key: string): Promise<{ state: BudgetState; nowMs: number }> {
  const [row] = await tx
    .insert(rateBudgets)
    .values({ key, state: FRESH_BUDGET })
    .onConflictDoUpdate({ target: rateBudgets.key, set: { askedAt: sql`now()` } })
    .returning({ state: rateBudgets.state, nowMs: NOW_MS });
  if (!row) throw new Error('The database returned no row for a rate budget.');
  return { state: row.state, nowMs: Number(row.nowMs) };
}
