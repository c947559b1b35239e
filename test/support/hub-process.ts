import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

/** One line of the hub's JSON log. */
export type LogLine = Record<string, unknown> & { msg?: string };

/** Key of the whole hub that every {@link HubProcess} accepts. */
export const PROCESS_KEY = 'crash-test-admin-key-0123456789';

/** A hub in a process of its own, as it is installed: it can be killed. */
export class HubProcess {
  readonly lines: LogLine[] = [];
  private readonly listeners = new Set<(line: LogLine) => void>();
  private constructor(
    private readonly child: ChildProcess,
    readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>,
  ) {}

  /** Starts the compiled hub (`npm run build` first) with these variables and waits until it listens. */
  static async start(
    env: Record<string, string>,
    ready: 'listening' | 'spawned' = 'listening',
    /** Runs as this user, where this process may choose. */
    user: { uid?: number; gid?: number } = {},
  ): Promise<HubProcess> {
    if (!existsSync(MAIN)) throw new Error('dist/ is not built: run npm run build, or npm test.');
    const child = spawn(process.execPath, [MAIN], {
      ...user,
      env: {
        PATH: process.env.PATH ?? '',
        UV_THREADPOOL_SIZE: '12',
        PORT: '0',
        HUB_HOST: '127.0.0.1',
        HUB_DEMO: 'false',
        HUB_LOG: 'debug',
        HUB_LOG_FORMAT: 'json',
        HUB_ADMIN_KEY: PROCESS_KEY,
        HUB_ALLOW_PRIVATE_EGRESS: 'true',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const hub = new HubProcess(child, exited);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (text) => hub.take(text));
    }
    if (ready === 'spawned') return hub;
    try {
      await hub.line('it listens', (line) => hub.urlOf(line) !== undefined);
    } catch (error) {
      await hub.kill();
      throw error;
    }
    return hub;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get url(): string {
    for (const line of this.lines) {
      const url = this.urlOf(line);
      if (url) return url;
    }
    throw new Error(`The hub does not listen:\n${this.tail()}`);
  }

  /** Waits for a log line; fails at once where the hub ends before it. */
  async line(what: string, matches: (line: LogLine) => boolean, timeoutMs = 60_000): Promise<LogLine> {
    let ended = false;
    void this.exited.then(() => (ended = true));
    return until(
      what,
      () => {
        const found = this.lines.find(matches);
        if (!found && ended) throw new Error(`The hub ended before ${what}:\n${this.tail()}`);
        return found;
      },
      timeoutMs,
    );
  }

  /** Calls `listener` for each line from now on, as soon as it is there. */
  onLine(listener: (line: LogLine) => void): void {
    this.listeners.add(listener);
  }

  /** Kills the process as a power cut would. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Asks the process to stop and waits for it. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return (await this.exited).code;
  }

  /** Headers of a call with the key of the whole hub. */
  get headers(): Record<string, string> {
    return { authorization: `Bearer ${PROCESS_KEY}`, 'content-type': 'application/json' };
  }

  async api<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: this.headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  tail(): string {
    return this.lines
      .slice(-30)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }

  private take(text: string): void {
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      line = { msg: text };
    }
    this.lines.push(line);
    for (const listener of this.listeners) listener(line);
  }

  private urlOf(line: LogLine): string | undefined {
    return /listens on (http:\/\/[^\s,]+)/.exec(line.msg ?? '')?.[1];
  }
}
