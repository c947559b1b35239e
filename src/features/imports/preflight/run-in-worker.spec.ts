import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../../../../test/support/until.js';
import { runApart } from './run-in-worker.js';
import { WITH_HEADER } from './scratch.suite.js';
import type { Task } from './task.js';
import { WarmThread } from './warm-thread.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-worker-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function threadOf(source: string): Promise<URL> {
  const path = join(folder, 'thread.mjs');
  await writeFile(
    path,
    `import { parentPort, threadId } from 'node:worker_threads';
     parentPort.on('message', (task) => { ${source} });`,
  );
  return pathToFileURL(path);
}

/** Long enough to be found again, short enough to be waited for. */
const threads = async (source: string, idleMs = 60_000) => new WarmThread(await threadOf(source), idleMs);

const taskOn = (path: string): Task => ({
  kind: 'preflight',
  request: {
    path,
    shape: WITH_HEADER,
    textPath: join(folder, 'text'),
    cleanPath: join(folder, 'clean'),
    rejectsPath: join(folder, 'rejects'),
  },
});
const task = () => taskOn('in.csv');
const never = () => new AbortController().signal;

describe('a thread that checks a file', () => {
  it('gets the task and answers with the report', async () => {
    const thread = await threads(
      `parentPort.postMessage({ ok: true, result: { verdict: 'refused', problems: [], encoding: task.request.path } });`,
    );
    await expect(thread.run(task(), never())).resolves.toMatchObject({ encoding: 'in.csv' });
  });

  it('answers with an error that keeps its code', async () => {
    const thread = await threads(
      `parentPort.postMessage({ ok: false, message: 'no space left', code: 'ENOSPC' });`,
    );
    await expect(thread.run(task(), never())).rejects.toMatchObject({
      message: 'no space left',
      code: 'ENOSPC',
    });
  });

  it.each([
    ['throws', `throw new Error('lost');`, /failed: lost/],
    ['ends without an answer', 'process.exit(3);', /without an answer \(exit code 3\)/],
  ])('is an error where it %s', async (_, source, message) => {
    const thread = await threads(source);
    await expect(thread.run(task(), never())).rejects.toThrow(message);
    // The next task gets another thread.
    await expect(thread.run(task(), never())).rejects.toThrow(message);
  });

  it('is ended by the signal, even in an endless loop', async () => {
    const controller = new AbortController();
    const running = (await threads('for (;;);')).run(task(), controller.signal);
    controller.abort(new Error('shutting down'));
    await expect(running).rejects.toThrow('shutting down');
  });

  const TELL = `parentPort.postMessage({ ok: true, result: { encoding: String(threadId) } });`;
  const idOf = (thread: WarmThread) => thread.run(task(), never()).then((answer) => JSON.stringify(answer));

  it('is the one that was started before, and is kept for the next task', async () => {
    const thread = await threads(TELL);
    thread.warmUp();
    thread.warmUp();
    const first = await idOf(thread);
    expect(await idOf(thread)).toBe(first);
  });

  it('is another one where two tasks run at once', async () => {
    const thread = await threads(`setTimeout(() => { ${TELL} }, 50);`);
    const [one, other] = await Promise.all([idOf(thread), idOf(thread)]);
    expect(one).not.toBe(other);
  });

  it('is ended when it had nothing to do for a while', async () => {
    const thread = await threads(TELL, 0);
    const first = await idOf(thread);
    await until('another thread answers', async () => (await idOf(thread)) !== first);
  });
});

it('A task that runs here stops between two chunks', async () => {
  const path = join(folder, 'large.csv');
  await writeFile(path, `email\n${'a@example.com\n'.repeat(300_000)}`);
  const controller = new AbortController();
  const running = runApart(taskOn(path), controller.signal);
  controller.abort(new Error('shutting down'));
  await expect(running).rejects.toThrow('shutting down');
});
