import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineInput, defineOutput, fault, secret } from '../../kit/index.js';
import { SystemClock } from '../../platform/clock/index.js';
import { SealedSecretError, SecretBox } from '../../platform/crypto/index.js';
import { Destinations } from '../../platform/files/index.js';
import { EgressClient, EgressGuard } from '../../platform/http/index.js';
import { createLogger } from '../../platform/log/index.js';
import { InvalidSettingsError, PluginRegistry } from '../registry/index.js';
import { ContextFactory, type ConfiguredConnector } from './index.js';
import type { AccessTokens } from '../oauth2/index.js';

const TOKEN = 'canary token/1';

const about = { description: 'For the spec', version: '1.0.0' };

const output = defineOutput({
  ...about,
  id: 'spec-output',
  name: 'Spec output',
  settings: z.object({ endpoint: z.string() }),
  credentials: z.object({ token: secret('Token') }),
  connectionSettings: z.object({ list: z.string().default('main') }),
  identities: [{ type: 'email', encoding: 'raw' }],
  limits: { batchSize: 10 },
  egressUrls: ({ endpoint }) => [endpoint],
  check: async (ctx) => {
    ctx.log.info(`token ${ctx.credentials.token}`, { url: encodeURIComponent(ctx.credentials.token) });
    throw fault.auth('REFUSED', `The partner refused ${ctx.credentials.token}.`);
  },
  audience: { add: async () => ({ status: 'done', rejected: [] }) },
});

const input = defineInput({
  ...about,
  id: 'spec-input',
  name: 'Spec input',
  settings: z.object({ path: z.string() }),
  credentials: z.object({}),
  folders: ({ path }) => [path],
  check: async () => undefined,
  trigger: { type: 'schedule', list: () => (async function* () {})() },
  open: () => Promise.reject(new Error('not used')),
});

let root: string;
const box = new SecretBox(Buffer.alloc(32, 1));
const lines: string[] = [];
const http = new EgressClient({ guard: new EgressGuard({ allowPrivate: true }) });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hub-context-'));
});

afterAll(async () => {
  await http.close();
  await rm(root, { recursive: true, force: true });
});

/** The connectors of this spec use no OAuth2. */
const noTokens = { get: () => Promise.reject(new Error('not used')) } as unknown as AccessTokens;

function factory(allowPrivate: boolean, dropRoots?: string[]): ContextFactory {
  const guard = new EgressGuard({ allowPrivate });
  return new ContextFactory({
    registry: new PluginRegistry([input, output]),
    http,
    destinations: new Destinations({ guard }),
    secretBox: box,
    reach: { guard, dropRoots },
    clock: new SystemClock(),
    log: createLogger({ level: 'info', format: 'json', destination: { write: (line) => lines.push(line) } }),
    tokens: noTokens,
  });
}

function row(endpoint: string, id = 'row-1'): ConfiguredConnector {
  const credentials = box.seal(JSON.stringify({ token: TOKEN }), 'row-1');
  return { id, plugin: 'spec-output', settings: { endpoint }, credentials };
}

const signal = new AbortController().signal;

describe('ContextFactory', () => {
  it('opens credentials for the call and keeps them out of log and errors', async () => {
    const ready = await factory(true).output(row('http://127.0.0.1/'));
    const context = ready.context(signal);
    expect(context).toMatchObject({
      settings: { endpoint: 'http://127.0.0.1/' },
      credentials: { token: TOKEN },
    });
    const thrown: unknown = await ready.plugin.check(context).catch((error: unknown) => error);
    expect(ready.failure(thrown)).toMatchObject({
      kind: 'auth',
      code: 'REFUSED',
      message: 'The partner refused [redacted].',
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('[redacted]');
    expect(lines[0]).not.toMatch(/canary/);
  });

  it('opens no credentials of another row', async () => {
    await expect(factory(true).output(row('http://127.0.0.1/', 'row-2'))).rejects.toThrow(SealedSecretError);
  });

  it('knows outputs of one account by their credentials and hosts, without telling them', async () => {
    const sealed = (id: string, token: string, endpoint: string): ConfiguredConnector => ({
      id,
      plugin: 'spec-output',
      settings: { endpoint },
      credentials: box.seal(JSON.stringify({ token }), id),
    });
    const accountOf = async (given: ConfiguredConnector) => (await factory(true).output(given)).account;
    const account = await accountOf(sealed('row-1', TOKEN, 'http://127.0.0.1/lists/1'));
    expect(account).toMatch(/^[0-9a-f]{32}$/);
    expect(await accountOf(sealed('row-2', TOKEN, 'http://127.0.0.1/lists/2'))).toBe(account);
    expect(await accountOf(sealed('row-3', 'another token', 'http://127.0.0.1/lists/1'))).not.toBe(account);
    expect(await accountOf(sealed('row-4', TOKEN, 'http://127.0.0.2/lists/1'))).not.toBe(account);
  });

  it('gives a connection its own settings, with their defaults', async () => {
    const ready = await factory(true).output(row('http://127.0.0.1/'));
    expect(ready.connection({ id: 'c-1', settings: {} })(signal)).toMatchObject({
      connectionId: 'c-1',
      connection: { list: 'main' },
    });
    expect(() => ready.connection({ id: 'c-1', settings: { colour: 'red' } })).toThrow(InvalidSettingsError);
  });

  it('refuses an address that the hub may not speak to, at every use', async () => {
    await expect(factory(false).output(row('http://169.254.169.254/'))).rejects.toMatchObject({
      kind: 'config',
      code: 'EGRESS_REFUSED',
    });
  });

  it('opens no connection into a private network, and one to itself where that is allowed', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const guarded = await factory(false).output(row('http://1.1.1.1/'));
    await expect(guarded.context(signal).connect(target)).rejects.toMatchObject({ code: 'EGRESS_REFUSED' });
    const open = await factory(true).output(row('http://127.0.0.1/'));
    const socket = await open.context(signal).connect(target);
    socket.destroy();
    server.close();
  });

  it('refuses a folder outside of the roots, also behind a link', async () => {
    const link = join(root, 'link');
    await symlink(tmpdir(), link);
    const open = (path: string) =>
      factory(true, [root]).input({ id: 'i', plugin: 'spec-input', settings: { path }, credentials: null });
    await expect(open(join(root, 'not-yet-there'))).resolves.toBeDefined();
    for (const path of [tmpdir(), join(root, '..'), link, `${root}-neighbour`]) {
      await expect(open(path)).rejects.toMatchObject({ kind: 'config', code: 'FOLDER_REFUSED' });
    }
  });
});
