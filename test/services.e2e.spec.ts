import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { startTestHub, type TestHub } from './support/hub.js';
import { describeWith, serviceAvailable, SERVICE_URLS, servicesRequired } from './support/services.js';

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

  beforeAll(async () => {
    await onServer(`create database ${database}`);
    const redis = (await serviceAvailable('Redis')) || servicesRequired() ? { REDIS_URL: redisUrl } : {};
    hub = await startTestHub({ DATABASE_URL: databaseUrl, ...redis });
  }, 120_000);

  afterAll(async () => {
    await hub?.stop();
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
});
