/**
 * The time of one call of a connector: its signal aborts when the time is over or `parent` aborts. It can stand
 * still while the call waits for its turn.
 */
export class CallTime {
  readonly #ended = new AbortController();
  readonly #stop: () => void;
  #timer: NodeJS.Timeout | undefined;
  #leftMs: number;
  #startedAtMs = 0;
  #waiting = 0;
  #hasEnded = false;
  isOver = false;

  constructor(
    timeoutMs: number,
    private readonly parent: AbortSignal,
  ) {
    this.#leftMs = timeoutMs;
    this.#stop = () => this.#ended.abort(parent.reason);
    parent.addEventListener('abort', this.#stop, { once: true });
    this.#start();
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Rejects when the signal aborts, so that a connector that ignores its signal cannot hold the delivery. */
  limit<T>(work: Promise<T>): Promise<T> {
    const ended = new Promise<never>((_, reject) => {
      this.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    });
    return Promise.race([work, ended]);
  }

  /** `wait` costs no time of the call, also where several requests of one call wait at once. */
  async standsStill(wait: () => Promise<void>): Promise<void> {
    if (this.#waiting === 0) {
      clearTimeout(this.#timer);
      this.#leftMs -= performance.now() - this.#startedAtMs;
    }
    this.#waiting += 1;
    try {
      await wait();
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.signal.aborted && !this.#hasEnded) this.#start();
    }
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.parent.removeEventListener('abort', this.#stop);
  }

  #start(): void {
    this.#startedAtMs = performance.now();
    this.#timer = setTimeout(
      () => {
        this.isOver = true;
        this.#ended.abort();
      },
      Math.max(0, this.#leftMs),
    );
  }
}
