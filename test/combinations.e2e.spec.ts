import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { startClickHouse, type ClickHouseServer } from './support/clickhouse-server/start.js';
import { temporaryPostgres } from './support/databases.js';
import { HubProcess } from './support/hub-process.js';
import { freeRedisPrefix } from './support/redis.js';
import { describeWith, SERVICE_URLS } from './support/services.js';
import { until } from './support/until.js';

/**
 * Every part embedded (false) or as a service (true). Without `HUB_TEST_ALL=true` the half with an even number of
 * services: in it any three parts are seen in every combination of theirs.
 */
const COMBINATIONS = Array.from({ length: 16 }, (_, bits) => ({
  postgres: (bits & 1) > 0,
  clickhouse: (bits & 2) > 0,
  redis: (bits & 4) > 0,
  s3: (bits & 8) > 0,
})).filter((parts) => {
  const services = Object.values(parts).filter(Boolean).length;
  return process.env.HUB_TEST_ALL === 'true' || services % 2 === 0;
});

const nameOf = (parts: Record<string, boolean>) =>
  Object.entries(parts)
    .filter(([, on]) => on)
    .map(([name]) => name)
    .join(' + ') || 'nothing but itself';

let s3: FauxqsServer;
let clickhouse: ClickHouseServer;

beforeAll(async () => {
  s3 = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  clickhouse = await startClickHouse();
}, 60_000);

afterAll(async () => {
  await s3.stop();
  await clickhouse.stop();
});

async function environment(parts: (typeof COMBINATIONS)[number], folder: string) {
  const env: Record<string, string> = { HUB_DATA: join(folder, 'data') };
  const undo: (() => Promise<unknown>)[] = [];
  if (parts.postgres) {
    const database = await temporaryPostgres({ migrated: false });
    env.DATABASE_URL = database.url;
    undo.push(() => database.close());
  }
  if (parts.clickhouse) {
    const name = `combination_${COMBINATIONS.indexOf(parts)}`;
    await fetch(clickhouse.url, { method: 'POST', body: `CREATE DATABASE IF NOT EXISTS ${name}` });
    env.CLICKHOUSE_URL = `${clickhouse.url}/${name}`;
  }
  if (parts.redis) {
    const redis = await freeRedisPrefix();
    env.REDIS_URL = SERVICE_URLS.Redis;
    env.HUB_REDIS_PREFIX = redis.prefix;
    undo.push(() => redis.clear());
  }
  if (parts.s3) {
    const bucket = `combination-${COMBINATIONS.indexOf(parts)}`;
    s3.createBucket(bucket);
    env.HUB_FILES = `s3://${bucket}/hub`;
    env.HUB_FILES_ENDPOINT = `http://127.0.0.1:${s3.port}`;
    env.HUB_FILES_REGION = 'us-east-1';
    env.HUB_FILES_ACCESS_KEY_ID = 'test';
    env.HUB_FILES_SECRET = 'test';
  }
  return { env, undo };
}

/** The main job on a running hub: a file in, a file out, a download. */
async function mainJob(hub: HubProcess, folder: string): Promise<void> {
  const key = join(folder, 'drop', 'onboarding', 'seat_id=7', 'f', 'People.csv');
  await mkdir(join(key, '..'), { recursive: true });
  await writeFile(key, 'Email\nann@example.com\nbob@example.com\nnobody\n');
  const past = new Date(Date.now() - 60_000);
  await utimes(key, past, past);
  const { id: organizationId } = await hub.api<{ id: string }>('POST', '/organizations', { name: 'C' });
  const workspace = { organizationId, name: 'W', seatId: '7' };
  const { id: workspaceId } = await hub.api<{ id: string }>('POST', '/workspaces', workspace);
  const settings = { path: join(folder, 'drop'), layout: 'iqm' };
  const inputBody = { workspaceId, plugin: 'folder-drop', name: 'drop', settings };
  const input = await hub.api<{ id: string }>('POST', '/inputs', inputBody);
  await hub.api('POST', `/inputs/${input.id}/scan`);
  const audience = await until(
    'the audience is published',
    async () => {
      const { items } = await hub.api<{ items: { id: number; size: number; version: number }[] }>(
        'GET',
        '/audiences',
      );
      return items.find((item) => item.version === 1);
    },
    60_000,
  );
  expect(audience.size).toBe(2);
  const outputBody = {
    workspaceId,
    plugin: 'file',
    name: 'out',
    settings: { destination: join(folder, 'out'), format: 'csv', content: 'members' },
  };
  const output = await hub.api<{ id: string }>('POST', '/outputs', outputBody);
  await hub.api('POST', `/audiences/${audience.id}/connections`, { outputId: output.id, status: 'active' });
  await until(
    'the file is delivered',
    async () => (await readdir(join(folder, 'out')).catch((): string[] => [])).includes('People.csv'),
    60_000,
  );
  const made = await hub.api<{ id: string }>('POST', '/exports', {
    audienceIds: [audience.id],
    identityTypes: ['email'],
  });
  const ready = await until(
    'the export is ready',
    async () => {
      const view = await hub.api<{ state: string; sizeBytes: number }>('GET', `/exports/${made.id}`);
      if (view.state === 'failed') throw new Error(`The export failed: ${JSON.stringify(view)}`);
      return view.state === 'ready' ? view : undefined;
    },
    60_000,
  );
  const download = await fetch(`${hub.url}/api/v1/exports/${made.id}/download`, { headers: hub.headers });
  expect((await download.arrayBuffer()).byteLength).toBe(ready.sizeBytes);
}

await describeWith('PostgreSQL', 'a hub', () => {
  it.each(COMBINATIONS.map((parts) => [nameOf(parts), parts] as const))(
    'does the main job on %s, and stops when it is asked to',
    async (_, parts) => {
      const folder = await mkdtemp(join(tmpdir(), 'hub-combination-'));
      const { env, undo } = await environment(parts, folder);
      const hub = await HubProcess.start(env);
      try {
        await mainJob(hub, folder);
        expect(await hub.stop()).toBe(0);
      } finally {
        await hub.kill();
        for (const step of undo) await step();
        await rm(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );
});
