import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runTask, type Task } from './task.js';
import { WarmThread } from './warm-thread.js';

type Result = Awaited<ReturnType<typeof runTask>>;

const WORKER_FILE = new URL('./preflight.worker.js', import.meta.url);

/** How long a thread that has nothing to do is kept: files tend to come together. */
const IDLE_MS = 60_000;

/** Where the program was not compiled (specs run from source) there is no file for a thread to start from. */
const threads = existsSync(fileURLToPath(WORKER_FILE)) ? new WarmThread(WORKER_FILE, IDLE_MS) : undefined;

/** Runs a task in a thread of its own, or, where there can be none, here, in slices of one chunk. */
export function runApart(task: Task, signal: AbortSignal): Promise<Result> {
  return threads === undefined ? runHere(task, signal) : threads.run(task, signal);
}

/** Starts a thread, if none waits: starting takes about as long as checking thirty megabytes. */
export function warmUp(): void {
  threads?.warmUp();
}

async function runHere(task: Task, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  return runTask(task, async () => {
    await setImmediate();
    signal.throwIfAborted();
  });
}
