import { parentPort, workerData } from 'node:worker_threads';
import { runTask, type Task, type TaskAnswer } from './task.js';

/** Entry of the worker thread: one task, one answer. */
async function answer(task: Task): Promise<TaskAnswer> {
  try {
    return { ok: true, result: await runTask(task, () => undefined) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { ok: false, message, code };
  }
}

parentPort?.postMessage(await answer(workerData as Task), []);
