import type { CallEnds } from './call-ends.js';

/**
 * The time of one call of a connector: its signal aborts when the time is over or `ends` says so. It can stand
 * still while the call waits for its turn.
 */
export class CallTime {
  readonly #ended: AbortController;
  #refuse: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #leftMs: number;
  #startedAtMs = 0;
  #waiting = 0;
  #hasEnded = false;
  isOver = false;

  constructor(
    timeoutMs: number,
    private readonly ends: CallEnds,
  ) {
    this.#leftMs = timeoutMs;
    this.#ended = ends.begin();
    this.#start();
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Rejects when the signal aborts, so that a connector that ignores its signal cannot hold the delivery. */
  limit<T>(work: Promise<T>): Promise<T> {
    const ended = new Promise<never>((_, reject) => {
      this.#refuse = () => reject(new Error('aborted'));
      this.signal.addEventListener('abort', this.#refuse, { once: true });
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
    if (this.#refuse) this.signal.removeEventListener('abort', this.#refuse);
    this.ends.end(this.#ended);
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
