import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { startClickHouse, type ClickHouseServer } from './support/clickhouse-server/start.js';
import { HubProcess, PROCESS_KEY } from './support/hub-process.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { startMultipartS3, type MultipartS3 } from './support/multipart-s3.js';
import { describeWith, serviceAvailable, SERVICE_URLS, servicesRequired } from './support/services.js';
import { beginUpload, sendByClient, tusCall } from './support/tus.js';
import { until } from './support/until.js';

const database = `hub_test_${randomUUID().replaceAll('-', '')}`;
/** A database of Redis that nothing else uses. */
const redisUrl = new URL('/13', SERVICE_URLS.Redis).href;

async function onServer(sql: string): Promise<void> {
  const client = new Client({ connectionString: SERVICE_URLS.PostgreSQL });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

await describeWith('PostgreSQL', 'a hub on PostgreSQL and Redis', (postgresUrl) => {
  const databaseUrl = new URL(`/${database}`, postgresUrl).href;

  let hub: TestHub;
  let s3: MultipartS3;
  let clickhouse: ClickHouseServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    await onServer(`create database ${database}`);
    s3 = await startMultipartS3('hub');
    clickhouse = await startClickHouse();
    const redis =
      (await serviceAvailable('Redis')) || servicesRequired() ? { REDIS_URL: redisUrl } : undefined;
    env = {
      DATABASE_URL: databaseUrl,
      CLICKHOUSE_URL: clickhouse.url,
      HUB_ADMIN_KEY: PROCESS_KEY,
      HUB_SECRET_KEY: randomBytes(32).toString('base64'),
      HUB_FILES: 's3://hub/spool',
      HUB_FILES_ENDPOINT: s3.endpoint,
      HUB_FILES_ACCESS_KEY_ID: 'test',
      HUB_FILES_SECRET: 'test-secret',
      ...redis,
    };
    hub = await startTestHub(env);
  }, 120_000);

  afterAll(async () => {
    await hub?.stop();
    await s3?.stop();
    await clickhouse?.stop();
    await onServer(`drop database if exists ${database} with (force)`);
  });

  it('is well', async () => {
    const { body } = await hub.api('GET', '/health', undefined, null);
    expect(body).toMatchObject({ status: 'ok', database: 'ok', warehouse: 'ok', queue: 'ok' });
  });

  it('keeps what it is told', async () => {
    const { id } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'On PostgreSQL' });
    expect(await hub.ok('GET', `/organizations/${id}`)).toMatchObject({ name: 'On PostgreSQL' });
    const again = await hub.api('POST', '/workspaces', { organizationId: id, name: 'Seat', seatId: '1' });
    expect(again.status).toBe(201);
    const taken = await hub.api('POST', '/workspaces', { organizationId: id, name: 'Seat', seatId: '1' });
    expect(taken).toMatchObject({ status: 409, body: { code: 'ALREADY_EXISTS' } });
  });

  it('counts what waits in its queue', async () => {
    const { body } = await hub.api<string>('GET', '/metrics');
    expect(body).toMatch(/^hub_queue_waiting\{kind="outbox"\} \d+$/m);
  });

  it('goes on with an upload in another process, over the same files', async () => {
    const data = await mkdtemp(join(tmpdir(), 'hub-other-'));
    const other = await HubProcess.start({ ...env, HUB_DATA: data, HUB_ROLES: 'api' });
    try {
      const { id: organizationId } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Two' });
      const workspace = { organizationId, name: 'W', seatId: '1' };
      const { id: workspaceId } = await hub.ok<{ id: string }>('POST', '/workspaces', workspace);
      const file = Buffer.from(
        `Email\n${Array.from({ length: 300 }, (_, n) => `p-${n}@example.com\n`).join('')}`,
      );
      const notes = { workspaceId, audienceName: 'Two processes' };
      const begun = await beginUpload(hub.url, PROCESS_KEY, file.length, notes);
      const path = begun.url.slice(hub.url.length);
      const auth = { authorization: `Bearer ${PROCESS_KEY}` };
      const patch = (url: string, from: number, to: number) =>
        tusCall(
          `${url}${path}`,
          'PATCH',
          { ...auth, 'upload-offset': String(from) },
          file.subarray(from, to),
        );
      expect((await patch(hub.url, 0, 1000)).status).toBe(204);
      expect((await patch(other.url, 1000, 2000)).status).toBe(204);
      expect((await patch(hub.url, 1000, 2000)).status).toBe(409);
      const both = await Promise.all([patch(hub.url, 2000, 3000), patch(other.url, 2000, 3000)]);
      expect(both.map(({ status }) => status).toSorted((one, two) => one - two)).toEqual([204, 409]);
      await sendByClient(other.url, PROCESS_KEY, file, { uploadUrl: `${other.url}${path}` });
      const done = await until(
        'the import is at its end',
        async () => {
          const { importId } = await hub.ok<{ importId: string | null }>('GET', `/uploads/${begun.id}`);
          const found = importId ? await hub.ok<{ state: string }>('GET', `/imports/${importId}`) : undefined;
          return found?.state === 'published' && found;
        },
        60_000,
      );
      expect(done).toMatchObject({ added: 300, rows: { read: 300, rejected: 0 } });
    } finally {
      await other.kill();
      await rm(data, { recursive: true, force: true });
    }
  }, 120_000);
});
