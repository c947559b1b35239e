import { LeaseLostError } from './lease-lost.js';

/** What whoever holds a lease is given. */
export interface Held {
  /** Aborts when the work is to stop, with a LeaseLostError where the lease is another's. */
  signal: AbortSignal;
  /**
   * To be asked before anything that only the holder may do and that no statement of the database holds to: undefined
   * where nobody else can have the lease; else resolves once that is certain again, and rejects with a LeaseLostError
   * where it is not.
   */
  confirm: () => Promise<void> | undefined;
}

/** How a lease is renewed, and how long it lasts. */
interface Terms {
  renew: () => Promise<boolean>;
  leaseMs: number;
  /** Milliseconds, as `elapsedClock` has them. */
  nowMs: () => number;
}

/**
 * Renews a lease three times while it lasts. A process that slept, or whose database was away, may be told too late that
 * the lease is another's; so it counts by its own clock as well, from before each renewal was asked for.
 */
export class Renewal {
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #untilMs: number;

  /** @param takenAtMs a moment before the lease was taken */
  constructor(
    private readonly terms: Terms,
    takenAtMs: number,
  ) {
    this.#untilMs = takenAtMs + terms.leaseMs;
    this.#timer = setInterval(() => {
      // The database is away: the next renewal tries again.
      this.#renew().catch(() => undefined);
    }, terms.leaseMs / 3);
    this.#timer.unref();
  }

  /** Aborts with a LeaseLostError. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** See {@link Held}. */
  confirm(): Promise<void> | undefined {
    return this.terms.nowMs() < this.#untilMs ? undefined : this.#ask();
  }

  /** What its holder is given, whose `signal` is to be heeded as well. */
  held(signal: AbortSignal): Held {
    return { signal: AbortSignal.any([signal, this.lost]), confirm: () => this.confirm() };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #ask(): Promise<void> {
    try {
      await this.#renew();
    } catch (cause) {
      const message = 'The lease may be another process’s: the database did not answer while it lasted.';
      this.#lost.abort(new LeaseLostError(message, { cause }));
    }
    this.lost.throwIfAborted();
  }

  async #renew(): Promise<void> {
    const { renew, nowMs, leaseMs } = this.terms;
    const askedAtMs = nowMs();
    if (await renew()) this.#untilMs = askedAtMs + leaseMs;
    else this.#lost.abort(new LeaseLostError('The lease was taken over by another process.'));
  }
}
