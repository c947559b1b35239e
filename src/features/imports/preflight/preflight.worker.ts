import { parentPort } from 'node:worker_threads';
import { runTask, type Task, type TaskAnswer } from './task.js';

/** Entry of the worker thread: an answer to every task, one at a time. */
async function answer(task: Task): Promise<TaskAnswer> {
  try {
    return { ok: true, result: await runTask(task, () => undefined) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { ok: false, message, code };
  }
}

parentPort?.on('message', (task: Task) => {
  void answer(task).then((reply) => parentPort?.postMessage(reply, []));
});
