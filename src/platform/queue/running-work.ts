import { asSystem } from '../audit/index.js';
import type { Logger } from '../log/index.js';
import { ABORT_MS, ShutdownError, type Job, type JobHandler } from './work-queue.js';

/** The handlers that run in this process, with the means to abort them and to wait for them. */
export class RunningWork {
  readonly #running = new Map<symbol, { abort: AbortController; settled: Promise<void> }>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Runs `handler`; never throws. Says whether the work was cut short by a shutdown. */
  async run(job: Job, handler: JobHandler): Promise<'done' | 'aborted'> {
    const abort = new AbortController();
    const key = Symbol(job.kind);
    const settled = this.#settle(job, handler, abort.signal);
    this.#running.set(key, { abort, settled });
    await settled;
    this.#running.delete(key);
    return abort.signal.aborted ? 'aborted' : 'done';
  }

  /** Waits `graceMs` for the handlers, then aborts them and waits for at most ABORT_MS more. */
  async finish(graceMs: number): Promise<void> {
    if (await this.#idleWithin(graceMs)) return;
    for (const { abort } of this.#running.values()) abort.abort(new ShutdownError());
    if (await this.#idleWithin(ABORT_MS)) return;
    this.#log.warn({ handlers: this.#running.size }, 'handlers did not return after they were aborted');
  }

  async #settle(job: Job, handler: JobHandler, signal: AbortSignal): Promise<void> {
    try {
      // Whoever asked for the work, perhaps in this process, is not the one who does it.
      await asSystem(() => handler(job.id, signal));
    } catch (err) {
      if (signal.aborted) this.#log.info({ kind: job.kind, id: job.id }, 'work released for shutdown');
      else this.#log.error({ kind: job.kind, id: job.id, err }, 'handler failed');
    }
  }

  async #idleWithin(timeoutMs: number): Promise<boolean> {
    const all = Promise.all([...this.#running.values()].map(({ settled }) => settled)).then(() => true);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const idle = await Promise.race([all, timeout]);
    clearTimeout(timer);
    return idle;
  }
}
