import {
  askBudget,
  FRESH_BUDGET,
  pauseBudget,
  type BudgetAnswer,
  type BudgetState,
  type RateLimit,
} from '../../domain/rates/index.js';
import type { BudgetStore } from './budget-store.js';

/** Budgets of one process, gone with it. */
export class MemoryBudgetStore implements BudgetStore {
  readonly #states = new Map<string, BudgetState>();

  /** @param nowMs by default a clock that nobody sets */
  constructor(private readonly nowMs: () => number = () => Math.floor(performance.now())) {}

  ask(key: string, limit: RateLimit | undefined): Promise<BudgetAnswer> {
    const { answer, state } = askBudget(this.#state(key), limit, this.nowMs());
    this.#states.set(key, state);
    return Promise.resolve(answer);
  }

  pause(key: string, pauseMs: number): Promise<void> {
    this.#states.set(key, pauseBudget(this.#state(key), pauseMs, this.nowMs()));
    return Promise.resolve();
  }

  #state(key: string): BudgetState {
    return this.#states.get(key) ?? FRESH_BUDGET;
  }
}
