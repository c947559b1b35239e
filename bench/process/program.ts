import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a program of the bench answers to a request. */
export type Answer = { ok: true; result: unknown } | { ok: false; message: string };

/** A program of the bench in a process of its own, so that its memory and processor time are its own. */
export class Program {
  private constructor(private readonly child: ChildProcess) {}

  /** Starts the compiled file at `path`, relative to `bench/`. */
  static start(path: string): Program {
    const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
    // The same pool as the hub's: chDB runs its queries there.
    const env = { ...process.env, UV_THREADPOOL_SIZE: '12' };
    return new Program(fork(file, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Sends one request and waits for its answer. One at a time. */
  async ask<Result>(request: object): Promise<Result> {
    const answered = once(this.child, 'message') as Promise<[Answer]>;
    const ended = once(this.child, 'exit').then(([code]) => {
      throw new Error(`A program of the bench ended with exit code ${String(code)} before it answered.`);
    });
    ended.catch(() => undefined);
    this.child.send(request);
    const [answer] = await Promise.race([answered, ended]);
    if (!answer.ok) throw new Error(answer.message);
    return answer.result as Result;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}

/** The other side: answers every request of the parent by `handle`. */
export function serveParent(handle: (request: never) => Promise<unknown>): void {
  process.on('message', (request) => {
    const reply = (answer: Answer) => process.send?.(answer);
    handle(request as never).then(
      (result) => reply({ ok: true, result }),
      (error: unknown) =>
        reply({ ok: false, message: error instanceof Error ? error.message : String(error) }),
    );
  });
}
