import type { Logger } from '../log/index.js';
import { RunningWork } from './running-work.js';
import type { EnqueueOptions, Job, JobCounts, JobHandler, WorkQueue } from './work-queue.js';

/** The longest a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One kind's hints: due times (of `performance.now()`) by id, in the order in which they are taken. */
interface Lane {
  due: Map<string, number>;
  active: Set<string>;
  worker?: { concurrency: number; handler: JobHandler };
  timer?: NodeJS.Timeout;
}

/** The embedded queue: hints live in this process's memory and die with it. */
export class InProcessWorkQueue implements WorkQueue {
  readonly #lanes = new Map<string, Lane>();
  readonly #work: RunningWork;
  #closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#work = new RunningWork(log);
  }

  async enqueue(job: Job, options: EnqueueOptions = {}): Promise<void> {
    if (this.#closing) return;
    const lane = this.#lane(job.kind);
    const now = performance.now();
    if (options.first) {
      lane.due.delete(job.id);
      lane.due = new Map([[job.id, now], ...lane.due]);
    } else {
      const due = now + Math.max(0, options.delayMs ?? 0);
      lane.due.set(job.id, Math.min(due, lane.due.get(job.id) ?? due));
    }
    this.#takeSoon(job.kind, lane);
  }

  process(kind: string, concurrency: number, handler: JobHandler): void {
    const lane = this.#lane(kind);
    if (lane.worker) throw new Error(`Queue: ${kind} has a handler already. Call process() once per kind.`);
    lane.worker = { concurrency, handler };
    this.#takeSoon(kind, lane);
  }

  async counts(): Promise<Record<string, JobCounts>> {
    const now = performance.now();
    return Object.fromEntries(
      [...this.#lanes].map(([kind, lane]) => {
        const delayed = [...lane.due.values()].filter((due) => due > now).length;
        return [kind, { waiting: lane.due.size - delayed, delayed, active: lane.active.size }];
      }),
    );
  }

  close(options: { graceMs: number }): Promise<void> {
    this.#closing ??= this.#work.finish(options.graceMs);
    for (const lane of this.#lanes.values()) clearTimeout(lane.timer);
    return this.#closing;
  }

  #lane(kind: string): Lane {
    const lane = this.#lanes.get(kind) ?? { due: new Map(), active: new Set() };
    this.#lanes.set(kind, lane);
    return lane;
  }

  /** Never in the caller's own turn: enqueue() has returned before a handler starts. */
  #takeSoon(kind: string, lane: Lane): void {
    setImmediate(() => this.#take(kind, lane));
  }

  /** Starts what is due while there are free places, and sets the timer for what is due next. */
  #take(kind: string, lane: Lane): void {
    if (this.#closing || !lane.worker) return;
    const now = performance.now();
    let nextDue = Number.POSITIVE_INFINITY;
    for (const [id, due] of lane.due) {
      if (due > now) nextDue = Math.min(nextDue, due);
      else if (lane.active.size >= lane.worker.concurrency) break;
      else if (!lane.active.has(id)) void this.#run({ kind, id }, lane, lane.worker.handler);
    }
    clearTimeout(lane.timer);
    if (nextDue === Number.POSITIVE_INFINITY || lane.active.size >= lane.worker.concurrency) return;
    lane.timer = setTimeout(() => this.#take(kind, lane), Math.min(Math.ceil(nextDue - now), MAX_TIMER_MS));
  }

  async #run(job: Job, lane: Lane, handler: JobHandler): Promise<void> {
    lane.due.delete(job.id);
    lane.active.add(job.id);
    await this.#work.run(job, handler);
    lane.active.delete(job.id);
    this.#take(job.kind, lane);
  }
}
