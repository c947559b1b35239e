/** What a call of a dead process is answered, so that it does nothing more. */
export class KilledError extends Error {
  override readonly name = 'KilledError';
}

/** When a process dies: at which of its calls from now on, and whether that call was still done. */
export interface Death {
  calls: number;
  /** True: what was asked for is done, and nobody is there to hear it. */
  unheard: boolean;
}

type Call = (...args: unknown[]) => Promise<unknown>;

/**
 * The life of a process. Everything that it asks of others (database, warehouse, files, partner) goes through
 * {@link call}, so that it can be cut off at each of them; what it has in memory is then nobody's.
 */
export class Life {
  #alive = true;
  #death: Death | undefined;
  readonly #underWay = new Set<Promise<unknown>>();

  get isOver(): boolean {
    return !this.#alive;
  }

  dieAt(death: Death): void {
    this.#death = { ...death };
  }

  end(): void {
    this.#alive = false;
  }

  async call<T>(work: () => Promise<T>): Promise<T> {
    this.#assertAlive();
    const death = this.#now();
    if (death && !death.unheard) this.end();
    this.#assertAlive();
    const done = work();
    this.#underWay.add(done);
    try {
      return await done;
    } finally {
      this.#underWay.delete(done);
      if (death) this.end();
      this.#assertAlive();
    }
  }

  /** Resolves when nothing of what it asked for is being done any more. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  #now(): Death | undefined {
    if (!this.#death) return undefined;
    this.#death.calls -= 1;
    return this.#death.calls > 0 ? undefined : this.#death;
  }

  #assertAlive(): void {
    if (!this.#alive) throw new KilledError('The process was killed.');
  }
}

/** `target` as a process of this life sees it: `methods` end with it, everything else is passed on. */
export function mortal<T extends object>(life: Life, target: T, methods: readonly string[]): T {
  return new Proxy(target, {
    get(of, key) {
      const value: unknown = Reflect.get(of, key, of);
      if (typeof value !== 'function') return value;
      if (!methods.includes(String(key))) return value.bind(of) as unknown;
      return (...args: unknown[]) => life.call(() => (value as Call).apply(of, args));
    },
  });
}
