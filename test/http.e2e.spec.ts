import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestHub, type TestHub } from './support/hub.js';

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
}, 120_000);

afterAll(async () => {
  await hub?.stop();
});

describe('GET /health', () => {
  it('tells anybody how the parts do', async () => {
    const answer = await hub.api('GET', '/health', undefined, null);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        status: 'ok',
        roles: ['api', 'worker', 'scheduler'],
        database: 'ok',
        warehouse: 'ok',
        queue: 'ok',
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      },
    });
  });

  it('names no software that answers', async () => {
    const { headers } = await hub.api('GET', '/health', undefined, null);
    expect([headers.get('x-powered-by'), headers.get('x-content-type-options')]).toEqual([null, 'nosniff']);
  });
});

describe('the server', () => {
  it('has no deadline for a whole request, which large files miss on slow lines, but one for headers', () => {
    const server: Server = hub.hub.app.getHttpServer();
    expect(server.requestTimeout).toBe(0);
    expect(server.headersTimeout).toBeGreaterThan(0);
    expect(server.headersTimeout).toBeLessThanOrEqual(60_000);
    expect(server.timeout).toBe(0);
  });
});

describe('GET /metrics', () => {
  it('is for keys of the whole hub', async () => {
    expect((await hub.api('GET', '/metrics', undefined, null)).status).toBe(401);
    const { headers, body } = await hub.api<string>('GET', '/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    expect(body).toContain('# TYPE hub_imports_total counter');
    const { id } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Metrics' });
    const { key } = await hub.ok<{ key: string }>('POST', '/api-keys', {
      organizationId: id,
      name: 'one organization',
      role: 'admin',
    });
    expect((await hub.api('GET', '/metrics', undefined, key)).status).toBe(403);
  });
});

describe('errors', () => {
  it('are problem+json with a stable code', async () => {
    const { status, headers, body } = await hub.api('GET', '/workspaces?page=0');
    expect([status, headers.get('content-type')]).toEqual([400, 'application/problem+json; charset=utf-8']);
    expect(body).toEqual({
      type: 'urn:audience-hub:error:VALIDATION_FAILED',
      title: 'The request is not valid',
      status: 400,
      detail: 'Not valid: page.',
      instance: '/api/v1/workspaces',
      code: 'VALIDATION_FAILED',
      errors: [{ field: 'page', message: 'page must not be less than 1' }],
    });
  });

  it('name every field that is wrong, nested ones and unknown ones too, and no value', async () => {
    const { body } = await hub.api('POST', '/workspaces', {
      organizationId: 'not-a-uuid-canary',
      name: ' ',
      seatId: 'seat canary',
      settings: { maxShrinkShare: 7, colour: 'canary' },
      nmae: 'canary',
    });
    const fields = (body as { errors: { field: string }[] }).errors.map(({ field }) => field);
    expect([...new Set(fields)].sort((a, b) => a.localeCompare(b))).toEqual([
      'name',
      'nmae',
      'organizationId',
      'seatId',
      'settings.colour',
      'settings.maxShrinkShare',
    ]);
    expect(JSON.stringify(body)).not.toContain('canary');
  });

  it.each([
    ['a body that is no JSON', '{"name": "canary', 400, 'MALFORMED_BODY'],
    ['a body over the limit', JSON.stringify({ name: 'x'.repeat(1_100_000) }), 413, 'BODY_TOO_LARGE'],
  ])('of %s do not quote it', async (_, sent, status, code) => {
    const answer = await hub.api('POST', '/organizations', sent);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(JSON.stringify(answer.body)).not.toContain('canary');
  });

  it.each(['/nowhere', '/docs-of-nothing', '/workspaces/not-an-id', '/plugins/no-such-plugin'])(
    'of an address where nothing is are 404: %s',
    async (path) => {
      const { status, body } = await hub.api('GET', path);
      expect([status, Object.keys(body)]).toEqual([
        404,
        ['type', 'title', 'status', 'detail', 'instance', 'code'],
      ]);
    },
  );

  it('say with 401 how to come in', async () => {
    const { headers, body } = await hub.api('GET', '/workspaces', undefined, null);
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(body).toMatchObject({ code: 'UNAUTHENTICATED', detail: expect.stringContaining('Authorization') });
  });
});

describe('lists', () => {
  it('come in pages and count the whole', async () => {
    const { id } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Paged' });
    for (const seatId of ['1', '2', '3']) {
      await hub.ok('POST', '/workspaces', { organizationId: id, name: `Seat ${seatId}`, seatId });
    }
    const list = await hub.ok<{ items: { seatId: string }[] }>(
      'GET',
      `/workspaces?organizationId=${id}&page=2&pageSize=2`,
    );
    expect(list).toMatchObject({ total: 3, page: 2, pageSize: 2 });
    expect(list.items.map(({ seatId }) => seatId)).toEqual(['3']);
    expect((await hub.api('GET', '/workspaces?pageSize=1001')).status).toBe(400);
  });
});

describe('organizations and workspaces', () => {
  it('keep their outside ids unique, and say so', async () => {
    const { id } = await hub.ok<{ id: string }>('POST', '/organizations', {
      name: 'One',
      externalId: 'ow-1',
    });
    const again = await hub.api('POST', '/organizations', { name: 'Two', externalId: 'ow-1' });
    expect(again).toMatchObject({ status: 409, body: { code: 'ALREADY_EXISTS' } });
    await hub.ok('POST', '/workspaces', { organizationId: id, name: 'Seat', seatId: '7' });
    const seat = await hub.api('POST', '/workspaces', { organizationId: id, name: 'Seat', seatId: '7' });
    expect(seat).toMatchObject({
      status: 409,
      body: { errors: expect.arrayContaining([expect.objectContaining({ field: 'seatId' })]) },
    });
  });

  it('go with everything in them once they hold no audience', async () => {
    const { id } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Short-lived' });
    const workspace = await hub.ok<{ id: string }>('POST', '/workspaces', {
      organizationId: id,
      name: 'Seat',
      seatId: '8',
    });
    await hub.ok('DELETE', `/organizations/${id}`);
    expect((await hub.api('GET', `/workspaces/${workspace.id}`)).status).toBe(404);
  });
});
