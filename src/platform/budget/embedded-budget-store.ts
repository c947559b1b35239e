import type { BudgetAnswer, RateLimit } from '../../domain/rates/index.js';
import type { BudgetStore } from './budget-store.js';
import { MemoryBudgetStore } from './memory-budget-store.js';

/** No hub starts again faster: what went before such a window is over by then. */
const FORGOTTEN_SECONDS = 2;

/**
 * For a hub that is one process: short windows and pauses are kept in memory, which costs nothing; long ones
 * in `lasting`, so that a hub that is started again within a window knows what went before.
 */
export class EmbeddedBudgetStore implements BudgetStore {
  readonly #memory = new MemoryBudgetStore();

  constructor(private readonly lasting: BudgetStore) {}

  async ask(key: string, limit: RateLimit | undefined): Promise<BudgetAnswer> {
    const answer = await this.#memory.ask(key, limit && isShort(limit) ? limit : undefined);
    return answer.granted && limit && !isShort(limit) ? this.lasting.ask(key, limit) : answer;
  }

  async pause(key: string, pauseMs: number): Promise<void> {
    await this.#memory.pause(key, pauseMs);
    await this.lasting.pause(key, pauseMs);
  }
}

function isShort({ perSeconds }: RateLimit): boolean {
  return perSeconds <= FORGOTTEN_SECONDS;
}
