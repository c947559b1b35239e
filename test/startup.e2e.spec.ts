import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startHub } from '../src/app/bootstrap.js';
import { StartupError } from '../src/app/startup-error.js';
import { startTestHub, type TestHub } from './support/hub.js';

let hub: TestHub;
let otherDir: string;

beforeAll(async () => {
  otherDir = await mkdtemp(join(tmpdir(), 'hub-startup-'));
  hub = await startTestHub();
}, 120_000);

afterAll(async () => {
  await hub?.stop();
  await rm(otherDir, { recursive: true, force: true });
});

/** What the hub says when it does not start. */
async function refusalOf(env: NodeJS.ProcessEnv): Promise<string> {
  const quiet = { HUB_DATA: otherDir, PORT: '0', HUB_DEMO: 'false', HUB_LOG: 'silent' };
  try {
    const started = await startHub({ ...quiet, ...env });
    await started.close();
  } catch (error) {
    if (error instanceof StartupError) return error.message;
    throw error;
  }
  return 'it started';
}

/** A port that refuses connections: it was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a hub that cannot start', () => {
  it('says in one line that its data directory is in use, and by whom', async () => {
    const message = await refusalOf({ HUB_DATA: hub.dataDir });
    expect(message).toContain(`is in use by another hub (process ${process.pid})`);
    expect(message).not.toContain('\n');
  });

  it('names the part that did not open, and not its password', async () => {
    const port = await closedPort();
    const message = await refusalOf({ DATABASE_URL: `postgresql://hub:canary@127.0.0.1:${port}/hub` });
    expect(message).toMatch(
      /^The hub did not start: PostgreSQL \(DATABASE_URL\) did not open\..*ECONNREFUSED/,
    );
    expect(message).not.toContain('canary');
  });

  it('lets go of what it had opened', async () => {
    const port = await closedPort();
    const broken = { DATABASE_URL: `postgresql://hub@127.0.0.1:${port}/hub` };
    const first = await refusalOf(broken);
    expect(await refusalOf(broken)).toBe(first);
  });

  it('names plugins that cannot be loaded', async () => {
    expect(await refusalOf({ HUB_PLUGINS: './no-such-plugin' })).toContain(
      '"./no-such-plugin" could not be loaded',
    );
  });
});

describe('a hub that runs', () => {
  it('knows the configured admin key and no other', async () => {
    expect((await hub.api('GET', '/organizations')).status).toBe(200);
    expect((await hub.api('GET', '/organizations', undefined, `${hub.adminKey}x`)).status).toBe(401);
  });
});
