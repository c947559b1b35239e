import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { runTask, type Task, type TaskAnswer } from './task.js';

type Result = Awaited<ReturnType<typeof runTask>>;

const WORKER_FILE = new URL('./preflight.worker.js', import.meta.url);

/**
 * Runs a task in a thread of its own. Where the program was not compiled (specs run from source) there is no file
 * for a thread to start from, and the task runs here, in slices of one chunk.
 */
export function runApart(task: Task, signal: AbortSignal): Promise<Result> {
  return existsSync(fileURLToPath(WORKER_FILE))
    ? runInWorker(WORKER_FILE, task, signal)
    : runHere(task, signal);
}

async function runHere(task: Task, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  return runTask(task, async () => {
    await setImmediate();
    signal.throwIfAborted();
  });
}

/** Rejects with the signal's reason on abort, else with an error that says what became of the thread. */
export async function runInWorker(file: URL, task: Task, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const worker = new Worker(file, { workerData: task });
  try {
    return resultOf(await answerOf(worker, signal));
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker, signal: AbortSignal): Promise<TaskAnswer> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    worker.once('message', (answer: TaskAnswer) => resolve(answer));
    worker.once('error', (error) =>
      reject(new Error(`The thread that checks files failed: ${error.message}`, { cause: error })),
    );
    worker.once('exit', (exitCode) => {
      signal.removeEventListener('abort', onAbort);
      reject(new Error(`The thread that checks files stopped without an answer (exit code ${exitCode}).`));
    });
  });
}

function resultOf(answer: TaskAnswer): Result {
  if (answer.ok) return answer.result;
  throw Object.assign(new Error(answer.message), answer.code === undefined ? {} : { code: answer.code });
}
