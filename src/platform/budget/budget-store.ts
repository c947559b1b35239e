import type { BudgetAnswer, RateLimit } from '../../domain/rates/index.js';

/**
 * Budgets of partner accounts, each under a key. Asking and being granted is one step, and nothing is promised to
 * whoever is not granted: a process that dies keeps no place in any line.
 */
export interface BudgetStore {
  /** One more request. @param limit undefined: only a pause holds it back */
  ask(key: string, limit: RateLimit | undefined): Promise<BudgetAnswer>;
  /** Holds back everybody who asks for `key`, in all processes; a longer pause stays. */
  pause(key: string, pauseMs: number): Promise<void>;
}
