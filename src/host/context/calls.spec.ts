import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { until } from '../../../test/support/until.js';
import { accessTokenOf, defineOutput, fault, secret, type OAuth2Grant } from '../../kit/index.js';
import { TestClock } from '../../platform/clock/testing/test-clock.js';
import { SecretBox } from '../../platform/crypto/index.js';
import { Destinations } from '../../platform/files/index.js';
import { EgressClient, EgressGuard } from '../../platform/http/index.js';
import { createLogger } from '../../platform/log/index.js';
import type { AccessTokens, TokenRequest } from '../oauth2/index.js';
import { PluginRegistry } from '../registry/index.js';
import { ContextFactory } from './index.js';

const about = {
  description: 'For the spec',
  version: '1.0.0',
  settings: z.object({
    url: z.string().optional(),
    other: z.string().optional(),
    days: z.number().optional(),
  }),
  connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'raw' }] as const,
  limits: { batchSize: 10 },
  check: async () => undefined,
  audience: { add: async () => ({ status: 'done' as const, rejected: [] }) },
};
const open = defineOutput({
  ...about,
  id: 'spec-open',
  name: 'Without credentials',
  credentials: z.object({}),
});
const keyed = defineOutput({
  ...about,
  id: 'spec-keyed',
  name: 'With a key',
  credentials: z.object({ key: secret('Key'), user: secret('User').optional(), port: z.number().optional() }),
});
const tokened = defineOutput({
  ...about,
  id: 'spec-tokened',
  name: 'With tokens',
  credentials: z.object({ key: secret('Key') }),
  oauth2: ({ url = '' }, { key }): OAuth2Grant => ({
    grant: 'client_credentials',
    tokenUrl: url,
    clientId: 'hub',
    clientSecret: key,
  }),
});

const box = new SecretBox(Buffer.alloc(32, 1));
const guard = new EgressGuard({ allowPrivate: true });
const http = new EgressClient({ guard });
const clock = new TestClock('2030-01-01T00:00:00Z');
const asked: TokenRequest[] = [];
const tokens = {
  get: async (request: TokenRequest) => {
    asked.push(request);
    return request.refused === undefined ? 'token-one' : 'token-two';
  },
} as unknown as AccessTokens;

let lines: Record<string, unknown>[];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-calls-'));
});
beforeEach(() => {
  lines = [];
  asked.splice(0);
});
afterAll(async () => {
  await http.close();
  await rm(folder, { recursive: true, force: true });
});

const factory = new ContextFactory({
  registry: new PluginRegistry([open, keyed, tokened]),
  http,
  destinations: new Destinations({ guard }),
  secretBox: box,
  reach: { guard },
  clock,
  log: createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  }),
  tokens,
});

function ready(plugin: string, settings: object, credentials?: object, id = 'row-1') {
  const sealed = credentials === undefined ? null : box.seal(JSON.stringify(credentials), id);
  return factory.output({ id, plugin, settings: { ...settings }, credentials: sealed });
}

const { signal } = new AbortController();

describe('a call of a connector', () => {
  it('has the hub’s clock, and a destination to write to', async () => {
    const context = (await ready('spec-open', {})).context(signal);
    expect(context.now()).toEqual(new Date('2030-01-01T00:00:00Z'));
    await context.destination(folder).put('a.csv', 'a');
    expect(await readFile(join(folder, 'a.csv'), 'utf8')).toBe('a');
  });

  it('resolves names within the egress rules', async () => {
    expect((await ready('spec-open', {})).context(signal).lookup).toBe(guard.lookup);
  });

  it('logs under the name of its plugin and row, with numbers as they are and without secrets', async () => {
    const { log } = (await ready('spec-keyed', {}, { key: 'canary-1', user: 'canary-2' })).context(signal);
    log.warn('said canary-1', { rows: 3, late: true, url: 'https://canary-2.example.com/' });
    log.info('nothing more');
    const from = { context: 'spec-keyed', connectorId: 'row-1' };
    expect(lines).toMatchObject([
      {
        ...from,
        level: 40,
        msg: 'said [redacted]',
        rows: 3,
        late: true,
        url: 'https://[redacted].example.com/',
      },
      { ...from, level: 30, msg: 'nothing more' },
    ]);
  });

  it('has secrets that are texts only', async () => {
    const { secrets } = await ready('spec-keyed', {}, { key: 'canary-1', port: 5555 });
    expect(secrets).toEqual(['canary-1']);
  });

  it('is one of a run that each connection begins anew, with the attributes that it shares', async () => {
    const output = await ready('spec-open', {});
    const [one, other] = [
      output.connection({ id: 'c-1', settings: {}, attributes: ['plan'] }),
      output.connection({ id: 'c-1', settings: {} }),
    ];
    expect(one(signal)).toMatchObject({ attributes: ['plan'], runId: one(signal).runId });
    expect(other(signal).attributes).toEqual([]);
    expect(other(signal).runId).not.toBe(one(signal).runId);
  });
});

describe('a call of a connector with OAuth2', () => {
  it('gets tokens for its row and grant, another one where one was refused, and hides both', async () => {
    const output = await ready('spec-tokened', { url: 'https://example.com/token' }, { key: 'canary-1' });
    const context = output.context(signal);
    expect(await accessTokenOf(context)).toBe('token-one');
    expect(await accessTokenOf(context)).toBe('token-one');
    expect(await accessTokenOf(context, 'token-one')).toBe('token-two');
    const grant = { tokenUrl: 'https://example.com/token', clientSecret: 'canary-1' };
    expect(asked).toMatchObject([
      { outputId: 'row-1', grant, signal },
      { outputId: 'row-1', grant, signal },
      { outputId: 'row-1', grant, signal, refused: 'token-one' },
    ]);
    expect(output.secrets).toEqual(['canary-1', 'token-one', 'token-two']);
    expect(output.failure(fault.auth('REFUSED', 'No token-two, no canary-1.'))).toMatchObject({
      message: 'No [redacted], no [redacted].',
    });
  });

  it('is told that there are none where the connector declares none', async () => {
    const context = (await ready('spec-keyed', {}, { key: 'canary-1' })).context(signal);
    await expect(accessTokenOf(context)).rejects.toThrow('The connector declares no oauth2');
  });
});

describe('the account of an output', () => {
  const accountOf = async (...given: Parameters<typeof ready>) => (await ready(...given)).account;

  it('is its own where it has no credentials', async () => {
    expect(await accountOf('spec-open', { url: 'https://example.com/' }, undefined, 'row-7')).toBe('row-7');
    expect(await accountOf('spec-open', { url: 'https://example.com/' }, {}, 'row-8')).toBe('row-8');
  });

  it('is the same in whatever order credentials and addresses are given, and whatever else is set', async () => {
    const [url, other] = ['https://a.example.com/1', 'https://b.example.com/2'];
    const account = await accountOf('spec-keyed', { url, other }, { key: 'k', user: 'u' });
    expect(await accountOf('spec-keyed', { url: other, other: url }, { user: 'u', key: 'k' })).toBe(account);
    expect(await accountOf('spec-keyed', { url, other, days: 3 }, { key: 'k', user: 'u' })).toBe(account);
    expect(await accountOf('spec-keyed', { url }, { key: 'k', user: 'u' })).not.toBe(account);
    expect(await accountOf('spec-keyed', { url, other }, { key: 'u', user: 'k' })).not.toBe(account);
  });

  it('is another one of another plugin', async () => {
    expect(await accountOf('spec-tokened', {}, { key: 'k' })).not.toBe(
      await accountOf('spec-keyed', {}, { key: 'k' }),
    );
  });
});

describe('the requests of an output', () => {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket.on('error', () => undefined));
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));
  afterAll(() => {
    server.close();
  });

  it('have left this process only when all of their bodies have, and end with the signal', async () => {
    const output = await ready('spec-open', {});
    const ending = new AbortController();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const body = Buffer.alloc(16 * 2 ** 20);
    const answer = output.context(ending.signal).http.request({ method: 'POST', url, body });
    const ended = expect(answer).rejects.toBeDefined();
    await until('the hub is connected', () => sockets.length === 1);
    let isWritten = false;
    const written = output.written().then(() => (isWritten = true));
    await (await ready('spec-open', {})).written();
    expect(isWritten).toBe(false);
    sockets[0]?.resume();
    await written;
    ending.abort();
    await ended;
  });
});
