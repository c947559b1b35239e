import { setTimeout as sleep } from 'node:timers/promises';
import type { OutputLimits } from '../../kit/index.js';

/** A token bucket: `requests` at once, refilled evenly over `perSeconds`. Callers go in the order they came. */
export class RateBudget {
  readonly #capacity: number;
  readonly #msPerToken: number;
  /** Moment (of `nowMs`) at which the bucket was or will be full, if nobody takes more. */
  #fullAtMs = 0;

  constructor(
    limit: NonNullable<OutputLimits['rateLimit']>,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#capacity = Math.max(1, limit.requests);
    this.#msPerToken = (limit.perSeconds * 1000) / this.#capacity;
  }

  /** Waits until one more request is allowed. Rejects when `signal` aborts. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waitMs = this.reserve();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal });
  }

  /** Takes a token and says how many milliseconds to wait before it may be used. */
  reserve(): number {
    const nowMs = this.nowMs();
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.#msPerToken;
    return Math.max(0, Math.ceil(this.#fullAtMs - nowMs - this.#capacity * this.#msPerToken));
  }
}

/**
 * The budgets of all outputs of this process: one an output, shared by its connections. Several workers
 * each keep their own; what that is too much, the partner answers with 429, and the delivery waits.
 */
export class RateBudgets {
  readonly #budgets = new Map<string, { limit: string; budget: RateBudget }>();

  /** The output's budget, or undefined where it declares no rate. */
  of(outputId: string, rateLimit: OutputLimits['rateLimit']): RateBudget | undefined {
    if (!rateLimit) return undefined;
    const limit = `${rateLimit.requests}/${rateLimit.perSeconds}`;
    const known = this.#budgets.get(outputId);
    if (known?.limit === limit) return known.budget;
    const budget = new RateBudget(rateLimit);
    this.#budgets.set(outputId, { limit, budget });
    return budget;
  }
}
