import type { Clock } from '../../src/platform/clock/index.js';
import type {
  EnqueueOptions,
  Job,
  JobCounts,
  JobHandler,
  WorkQueue,
} from '../../src/platform/queue/index.js';

interface Hint extends Job {
  dueMs: number;
}

/** A queue whose hints are worked on when a step says so, one at a time, by the simulation's clock. */
export class HintQueue implements WorkQueue {
  readonly #handlers = new Map<string, JobHandler>();
  #hints: Hint[];

  /** @param kept hints that outlived the process before, as those in Redis do */
  constructor(
    private readonly clock: Clock,
    kept: readonly Hint[] = [],
  ) {
    this.#hints = [...kept];
  }

  get hints(): readonly Hint[] {
    return this.#hints;
  }

  enqueue({ kind, id }: Job, { delayMs = 0, first = false }: EnqueueOptions = {}): Promise<void> {
    const waiting = this.#hints.find((hint) => hint.kind === kind && hint.id === id);
    const dueMs = this.clock.now().getTime() + delayMs;
    if (waiting) waiting.dueMs = Math.min(waiting.dueMs, dueMs);
    if (waiting && first) this.#hints = [waiting, ...this.#hints.filter((hint) => hint !== waiting)];
    if (waiting) return Promise.resolve();
    if (first) this.#hints.unshift({ kind, id, dueMs });
    else this.#hints.push({ kind, id, dueMs });
    return Promise.resolve();
  }

  process(kind: string, _concurrency: number, handler: JobHandler): void {
    this.#handlers.set(kind, handler);
  }

  counts(): Promise<Record<string, JobCounts>> {
    return Promise.resolve({});
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Forgets all hints, as a Redis that was emptied. */
  lose(): void {
    this.#hints = [];
  }

  /** The next hint that is due and somebody works on. */
  take(): (Job & { handler: JobHandler }) | undefined {
    const nowMs = this.clock.now().getTime();
    const next = this.#hints.find(({ kind, dueMs }) => dueMs <= nowMs && this.#handlers.has(kind));
    const handler = next && this.#handlers.get(next.kind);
    if (!next || !handler) return undefined;
    this.#hints = this.#hints.filter((hint) => hint !== next);
    return { kind: next.kind, id: next.id, handler };
  }
}
