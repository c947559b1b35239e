/** A hint that a row wants work: `kind` says which sort of row, `id` which row. Never more than that. */
export interface Job {
  /** Also the name of the Bull queue: letters, digits, `-`. */
  kind: string;
  id: string;
}

/** Does the work of one row. Aborts its own work when `signal` does, and leaves the row to be taken again. */
export type JobHandler = (id: string, signal: AbortSignal) => Promise<void>;

/** How many hints of one kind are where. */
export interface JobCounts {
  /** Ready, and waiting for a free place. */
  waiting: number;
  /** Waiting for their time. */
  delayed: number;
  /** In a handler. */
  active: number;
}

/** When a hint is to come to a handler. */
export interface EnqueueOptions {
  /** Not before so many milliseconds from now. */
  delayMs?: number;
  /** Now, and before all hints of the kind that wait; one of the same row that waits already is moved there. */
  first?: boolean;
}

/**
 * Carries hints from who changes a row to who works on it. The rows in the database are the truth; a hint
 * may be lost with a process, and the sweep makes it again. What every queue promises:
 *
 * - Hints for the same (kind, id) that wait are one hint; the earliest time counts.
 * - A hint that comes while its id is being worked on runs the handler once more afterwards, so that what
 *   changed after the handler read the row is seen. The same id never runs twice at once (as far as the
 *   worker's process lives and answers; the row's lease is what protects it beyond that).
 * - At most `concurrency` handlers of a kind run at once in a process, and one kind never takes the place
 *   of another.
 * - A handler that throws is logged by name and not run again; the row's state and the sweep decide.
 */
export interface WorkQueue {
  enqueue(job: Job, options?: EnqueueOptions): Promise<void>;

  /** Starts working on a kind. Once per kind and process. */
  process(kind: string, concurrency: number, handler: JobHandler): void;

  /** Counts of every kind that was enqueued or processed here. */
  counts(): Promise<Record<string, JobCounts>>;

  /**
   * Takes no more work, lets handlers finish for `graceMs`, then aborts their signals and waits until they
   * have returned, at most another {@link ABORT_MS}. Hints that come later are dropped.
   */
  close(options: { graceMs: number }): Promise<void>;
}

/** How long a handler has to return after its signal aborted, in milliseconds. */
export const ABORT_MS = 5000;

/** The reason of a handler's signal when the process shuts down. */
export class ShutdownError extends Error {
  override readonly name = 'ShutdownError';

  constructor() {
    super('The hub is shutting down. The work is released and taken up again later.');
  }
}
