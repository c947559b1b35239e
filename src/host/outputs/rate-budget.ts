import { setTimeout as sleep } from 'node:timers/promises';
import type { RateLimit } from '../../domain/rates/index.js';
import { fault } from '../../kit/index.js';
import type { BudgetStore } from '../../platform/budget/index.js';

/** A pause that lasts longer ends the try, and the delivery comes again: nobody holds a worker's place for hours. */
const PATIENCE_MS = 5000;

/** So long may a pause that another process was told to make go unnoticed where no rate was declared. */
const LOOK_EVERY_MS = 1000;

/** What a partner means that answers 429 and neither says nor declared how long. */
const DEFAULT_PAUSE_MS = 1000;

/** Code of the failure that the hub itself makes while a partner's pause lasts. */
export const PARTNER_PAUSED = 'PARTNER_PAUSED';

/**
 * The budget of one partner account, shared by all processes through its store. Callers of this process go in the
 * order in which they came, and only the first of them asks the store.
 */
export class RateBudget {
  #last: Promise<void> = Promise.resolve();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly store: BudgetStore,
    private readonly key: string,
    private readonly limit: RateLimit | undefined,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /**
   * Waits until one more request is allowed. Rejects when `signal` aborts.
   *
   * @throws ConnectorError `rate_limited` PARTNER_PAUSED where the partner asked for a pause of more than seconds
   */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.limit && performance.now() - this.#lookedAtMs < LOOK_EVERY_MS) return;
    const before = this.#last;
    const turn = this.#granted(before, signal);
    // Whoever gives up lets the next one go only when those before are through.
    this.#last = turn.catch(() => before);
    await turn;
  }

  /** The partner answered 429: nobody asks it for anything before it wants to be asked again. */
  async pause(retryAfterMs: number | undefined): Promise<void> {
    this.#lookedAtMs = Number.NEGATIVE_INFINITY;
    await this.store.pause(this.key, retryAfterMs ?? this.#windowMs ?? DEFAULT_PAUSE_MS);
  }

  get #windowMs(): number | undefined {
    return this.limit && this.limit.perSeconds * 1000;
  }

  async #granted(before: Promise<void>, signal: AbortSignal): Promise<void> {
    await unlessAborted(before, signal);
    for (;;) {
      const answer = await unlessAborted(this.store.ask(this.key, this.limit), signal);
      if (answer.granted) break;
      if (answer.paused && answer.waitMs > this.patienceMs) throw paused(answer.waitMs);
      await sleep(answer.waitMs, undefined, { signal });
    }
    this.#lookedAtMs = performance.now();
  }
}

/** The budgets of this process: one an account and limit. */
export class RateBudgets {
  readonly #budgets = new Map<string, RateBudget>();

  constructor(
    private readonly store: BudgetStore,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** @param account fingerprint of the partner account; outputs that share one share its budget */
  of(account: string, limit: RateLimit | undefined): RateBudget {
    const name = limit ? `${account}/${limit.requests}/${limit.perSeconds}` : account;
    const known = this.#budgets.get(name);
    if (known) return known;
    const budget = new RateBudget(this.store, account, limit, this.patienceMs);
    this.#budgets.set(name, budget);
    return budget;
  }
}

function paused(waitMs: number) {
  return fault.rateLimited(
    PARTNER_PAUSED,
    `The partner asked for a pause, which lasts ${Math.ceil(waitMs / 1000)} more seconds. All deliveries to this ` +
      'account wait for its end.',
    waitMs,
  );
}

/** The result of `work`, unless `signal` aborts before: then its reason, and `work` is left alone. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
