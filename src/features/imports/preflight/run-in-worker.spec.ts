import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runApart, runInWorker } from './run-in-worker.js';
import { WITH_HEADER } from './scratch.suite.js';
import type { Task } from './task.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-worker-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function threadOf(source: string): Promise<URL> {
  const path = join(folder, 'thread.mjs');
  await writeFile(path, `import { parentPort, workerData } from 'node:worker_threads';\n${source}`);
  return pathToFileURL(path);
}

const taskOn = (path: string): Task => ({
  kind: 'preflight',
  request: {
    path,
    shape: WITH_HEADER,
    cleanPath: join(folder, 'clean'),
    rejectsPath: join(folder, 'rejects'),
  },
});
const task = () => taskOn('in.csv');
const never = () => new AbortController().signal;

describe('a thread that checks a file', () => {
  it('gets the task and answers with the report', async () => {
    const file = await threadOf(
      `parentPort.postMessage({ ok: true, result: { verdict: 'refused', problems: [], encoding: workerData.request.path } });`,
    );
    await expect(runInWorker(file, task(), never())).resolves.toMatchObject({ encoding: 'in.csv' });
  });

  it('answers with an error that keeps its code', async () => {
    const file = await threadOf(
      `parentPort.postMessage({ ok: false, message: 'no space left', code: 'ENOSPC' });`,
    );
    await expect(runInWorker(file, task(), never())).rejects.toMatchObject({
      message: 'no space left',
      code: 'ENOSPC',
    });
  });

  it.each([
    ['throws', `throw new Error('lost');`, /failed: lost/],
    ['ends without an answer', 'process.exit(3);', /without an answer \(exit code 3\)/],
  ])('is an error where it %s', async (_, source, message) => {
    await expect(runInWorker(await threadOf(source), task(), never())).rejects.toThrow(message);
  });

  it('is ended by the signal, even in an endless loop', async () => {
    const controller = new AbortController();
    const running = runInWorker(await threadOf('for (;;);'), task(), controller.signal);
    controller.abort(new Error('shutting down'));
    await expect(running).rejects.toThrow('shutting down');
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
