/** What was made ready longer before is made anew: it may hold the time at which it was made. Milliseconds. */
const FRESH_MS = 5000;

/** Thrown into a connector whose call is not to go on: its turn came too late, or never will. */
export class NotItsTurnError extends Error {
  constructor() {
    super('The call was made ready, and its turn has not come. Nothing was sent.');
  }
}

/**
 * Leave to reach out, of a call that is begun while the ones before it are still with the partner: what is made ready
 * until the first request costs no time then.
 */
export class Turn {
  #state: 'waiting' | 'now' | 'late' | 'never' = 'waiting';
  #go: () => void = () => undefined;
  /** One for all requests that wait: a connector may make several at once. */
  readonly #decided = new Promise<void>((resolve) => (this.#go = resolve));
  #readyAtMs: number | undefined;
  #cameAtMs: number | undefined;

  constructor(private readonly freshMs = FRESH_MS) {}

  /** When it came, as `performance.now()` has it. */
  get cameAtMs(): number | undefined {
    return this.#cameAtMs;
  }

  /** Whether it came, so long after everything was ready that it has to be made anew. */
  get cameLate(): boolean {
    return this.#state === 'late';
  }

  /** Whether a call is not to go on. */
  get isOver(): boolean {
    return this.#state === 'late' || this.#state === 'never';
  }

  /** Lets the call go on. */
  comes(): void {
    if (this.#state !== 'waiting') return;
    this.#cameAtMs = performance.now();
    const isLate = this.#readyAtMs !== undefined && this.#cameAtMs - this.#readyAtMs > this.freshMs;
    this.#state = isLate ? 'late' : 'now';
    this.#go();
  }

  /** Ends the call before it has reached out. */
  neverComes(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'never';
    this.#go();
  }

  /** @throws NotItsTurnError */
  async wait(): Promise<void> {
    if (this.#state === 'waiting') {
      this.#readyAtMs ??= performance.now();
      await this.#decided;
    }
    if (this.isOver) throw new NotItsTurnError();
  }
}
