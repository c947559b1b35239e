import type { Queue } from 'bull';
import { MAX_PAUSE_MS, windowMsOf, type BudgetAnswer, type RateLimit } from '../../domain/rates/index.js';
import type { BudgetStore } from './budget-store.js';
import { BUDGET_SCRIPT } from './redis-script.js';

/** What is needed of a connection to Redis: one of Bull's serves. */
export type RedisClient = Pick<Queue['client'], 'eval'>;

/** Budgets in Redis: for any number of processes, which ask in one step each and go by the clock of Redis. */
export class RedisBudgetStore implements BudgetStore {
  /**
   * @param prefix start of all keys
   * @param nowMs for specs: a clock instead of the one of Redis
   */
  constructor(
    private readonly client: RedisClient,
    private readonly prefix: string,
    private readonly nowMs?: () => number,
  ) {}

  async ask(key: string, limit: RateLimit | undefined): Promise<BudgetAnswer> {
    const [granted, waitMs, paused] = await this.#run(
      key,
      'ask',
      limit?.requests ?? 0,
      limit ? windowMsOf(limit) : 0,
    );
    return granted === 1 ? { granted: true } : { granted: false, waitMs, paused: paused === 1 };
  }

  async pause(key: string, pauseMs: number): Promise<void> {
    // What is beyond a number in Lua's text is beyond a day as well.
    await this.#run(key, 'pause', Math.min(Math.ceil(pauseMs), MAX_PAUSE_MS), 0);
  }

  async #run(
    key: string,
    what: 'ask' | 'pause',
    amount: number,
    windowMs: number,
  ): Promise<[number, number, number]> {
    const now = this.nowMs?.() ?? '';
    const result: unknown = await this.client.eval(
      BUDGET_SCRIPT,
      1,
      `${this.prefix}:budget:${key}`,
      what,
      amount,
      windowMs,
      now,
    );
    return result as [number, number, number];
  }
}
