import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A server that speaks ClickHouse's HTTP interface, in a process of its own. */
export interface ClickHouseServer {
  /** `http://127.0.0.1:port`. Any user and password are let in. */
  url: string;
  pid: number;
  /** SIGKILL, as if the server had died; its data stay until {@link stop}. */
  kill(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

const SERVER = fileURLToPath(new URL('./server.mjs', import.meta.url));

/** Starts a server on a port of its own choice, with an empty data directory. */
export async function startClickHouse(): Promise<ClickHouseServer> {
  const directory = await mkdtemp(join(tmpdir(), 'hub-clickhouse-'));
  const child = spawn(process.execPath, [SERVER, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '16', NODE_OPTIONS: '' },
  });
  const ended = once(child, 'exit');
  const first = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
  if (child.pid === undefined || typeof first[0] !== 'string') {
    await rm(directory, { recursive: true, force: true });
    throw new Error(`The ClickHouse test server did not start: exit code ${first[0]}.`);
  }
  const { port } = JSON.parse(first[0]) as { port: number };
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal);
    await ended;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
