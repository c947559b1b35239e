import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHub, type RunningHub } from '../../src/app/bootstrap.js';
import { scheduleSlots, type Database } from '../../src/platform/database/index.js';
import { DATABASE } from '../../src/platform/nest/index.js';

/** What a call answered. `body` is parsed JSON, or undefined where there was none. */
export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

/** A hub in this process, on a data directory of its own and a free port. One per spec file: chDB allows no more. */
export interface TestHub {
  hub: RunningHub;
  url: string;
  dataDir: string;
  /** HUB_ADMIN_KEY of the hub. */
  adminKey: string;
  /**
   * Calls the API: `path` is below /api/v1, or absolute where it names /health, /metrics, /docs or /api.
   * `key` undefined: the admin key; null: no key.
   */
  api<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    key?: string | null,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
  /** Like `api`, and throws with the problem where the answer is no 2xx. Returns the body. */
  ok<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    key?: string | null,
  ): Promise<Body>;
  /** Stops the hub and deletes its data directory. */
  stop(): Promise<void>;
}

const OUTSIDE_API = /^\/(?:health|metrics|docs|docs-json|api\/)/;

const TEN_MINUTES_MS = 600_000;

/** Starts a hub without demo, with a silent log and no scans of its own; `overrides` are environment variables. */
export async function startTestHub(overrides: NodeJS.ProcessEnv = {}): Promise<TestHub> {
  const dataDir = overrides.HUB_DATA ?? (await mkdtemp(join(tmpdir(), 'hub-test-')));
  const adminKey = overrides.HUB_ADMIN_KEY ?? `test-admin-key-${randomUUID()}`;
  const hub = await startHub({
    HUB_DATA: dataDir,
    HUB_ADMIN_KEY: adminKey,
    PORT: '0',
    HUB_HOST: '127.0.0.1',
    HUB_DEMO: 'false',
    HUB_LOG: 'silent',
    HUB_LOG_FORMAT: 'json',
    ...overrides,
  });
  await settleScans(hub);
  const api: TestHub['api'] = (method, path, body, key = adminKey, headers = {}) =>
    call(hub.url, method, path, body, key, headers);
  return {
    hub,
    url: hub.url,
    dataDir,
    adminKey,
    api,
    async ok<Body>(method: string, path: string, body?: unknown, key?: string | null) {
      const answer = await api<Body>(method, path, body, key);
      if (answer.status >= 300) {
        throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      }
      return answer.body;
    },
    async stop() {
      await hub.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A spec that runs over the full ten minutes would find its file taken by the schedule just before its own scan. */
async function settleScans(hub: RunningHub): Promise<void> {
  const slotMs = Math.floor(Date.now() / TEN_MINUTES_MS) * TEN_MINUTES_MS;
  const slots = [slotMs, slotMs + TEN_MINUTES_MS].map((ms) => ({
    schedule: 'scan',
    slotMs: ms,
    claimedAt: new Date(),
    doneAt: new Date(),
  }));
  await hub.app.get<Database>(DATABASE).insert(scheduleSlots).values(slots).onConflictDoNothing();
}

async function call<Body>(
  url: string,
  method: string,
  path: string,
  body: unknown,
  key: string | null,
  headers: Record<string, string>,
): Promise<Answer<Body>> {
  const response = await fetch(`${url}${OUTSIDE_API.test(path) ? '' : '/api/v1'}${path}`, {
    method,
    headers: {
      ...headers,
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: (isJson && text !== '' ? JSON.parse(text) : text || undefined) as Body,
  };
}
