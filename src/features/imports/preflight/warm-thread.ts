import { Worker } from 'node:worker_threads';
import type { runTask, Task, TaskAnswer } from './task.js';

type Result = Awaited<ReturnType<typeof runTask>>;

/**
 * Runs each task in a thread that has no other meanwhile, and keeps one of them for the next task for a while. A
 * thread that failed or was stopped is never used again.
 */
export class WarmThread {
  private waiting: Worker | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly file: URL,
    private readonly idleMs: number,
  ) {}

  /** Starts the thread of the next task, if none waits. */
  warmUp(): void {
    if (this.waiting === undefined) this.keep(new Worker(this.file));
  }

  /** Rejects with the signal's reason on abort, else with an error that says what became of the thread. */
  async run(task: Task, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    const worker = this.take() ?? new Worker(this.file);
    let answer: TaskAnswer;
    try {
      answer = await answerOf(worker, task, signal);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    this.keep(worker);
    return resultOf(answer);
  }

  private take(): Worker | undefined {
    const worker = this.waiting;
    if (worker === undefined) return undefined;
    this.forget();
    worker.off('error', this.onEnd).off('exit', this.onEnd);
    worker.ref();
    return worker;
  }

  /** It must not keep the process alive, nor stay for ever. */
  private keep(worker: Worker): void {
    if (this.waiting !== undefined) {
      void worker.terminate();
      return;
    }
    this.waiting = worker;
    worker.unref();
    worker.on('error', this.onEnd).on('exit', this.onEnd);
    this.timer = setTimeout(() => {
      this.take();
      void worker.terminate();
    }, this.idleMs).unref();
  }

  /** One that ends while nobody waits for it harms nobody. */
  private readonly onEnd = () => this.forget();

  private forget(): void {
    clearTimeout(this.timer);
    this.waiting = undefined;
  }
}

/** The answer to one task. Leaves none of its listeners behind. */
function answerOf(worker: Worker, task: Task, signal: AbortSignal): Promise<TaskAnswer> {
  let resolve: (answer: TaskAnswer) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<TaskAnswer>((onAnswer, onFailure) => {
    resolve = onAnswer;
    reject = onFailure;
  });
  const onAbort = () => reject(signal.reason as Error);
  const onError = (error: Error) =>
    reject(new Error(`The thread that checks files failed: ${error.message}`, { cause: error }));
  const onExit = (exitCode: number) =>
    reject(new Error(`The thread that checks files stopped without an answer (exit code ${exitCode}).`));
  signal.addEventListener('abort', onAbort, { once: true });
  worker.on('message', resolve).on('error', onError).on('exit', onExit);
  worker.postMessage(task, []);
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort);
    worker.off('message', resolve).off('error', onError).off('exit', onExit);
  });
}

function resultOf(answer: TaskAnswer): Result {
  if (answer.ok) return answer.result;
  throw Object.assign(new Error(answer.message), answer.code === undefined ? {} : { code: answer.code });
}
