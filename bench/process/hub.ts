import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const ADMIN_KEY = 'bench-admin-key-0123456789abcdef';
const START_MS = 60_000;

/** The hub as it is shipped, in a process of its own, on an empty data directory. */
export class BenchHub {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(dataDir: string): Promise<BenchHub> {
    const child = spawn(process.execPath, [MAIN], {
      env: {
        PATH: process.env.PATH,
        UV_THREADPOOL_SIZE: '12',
        HUB_DATA: dataDir,
        HUB_DEMO: 'false',
        HUB_ADMIN_KEY: ADMIN_KEY,
        HUB_ALLOW_PRIVATE_EGRESS: 'true',
        HUB_IMPORT_CONCURRENCY: '1',
        HUB_LOG: 'info',
        HUB_LOG_FORMAT: 'json',
        PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      return new BenchHub(child, await listening(child));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** One call of the API; throws with its answer where that is no success. */
  async call<Body>(method: 'GET' | 'POST', path: string, body?: object): Promise<Body> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as Body;
  }

  /** A figure of GET /metrics. Asking begins the figures of the event loop anew. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`${this.url}/metrics`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(await response.text())?.[1];
    if (value === undefined) throw new Error(`GET /metrics answered ${response.status} without ${name}.`);
    return Number(value);
  }

  /** Writes the body of a GET to nowhere and gives it as bytes. */
  async download(path: string): Promise<Buffer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}.`);
    return Buffer.from(await response.arrayBuffer());
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}

/** The address, from the line in which the hub says it. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('The hub did not listen in time.')), START_MS);
    const settle = (done: () => void) => {
      clearTimeout(late);
      done();
    };
    child.once('exit', (code) =>
      settle(() => reject(new Error(`The hub ended with exit code ${String(code)}.`))),
    );
    if (!child.stdout) throw new Error('The hub has no output to read.');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /listens on (http:\/\/[^\s,]+)/.exec(line)?.[1];
      if (url !== undefined) settle(() => resolve(url));
      // What goes wrong is worth reading; the rest is not.
      else if (/"level":(?:"(?:error|warn)"|[456]0)/.test(line)) console.error(line);
    });
  });
}
