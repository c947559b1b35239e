import { once } from 'node:events';
import {
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FileStore } from '../src/platform/files/index.js';
import { FILES } from '../src/platform/nest/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { importOfPush, L2_BEARER, L2_SECRETS, makeL2Account, postUniverse, signed } from './support/l2.js';
import { until } from './support/until.js';

interface UploadView {
  id: string;
  state: string;
  receivedBytes: number;
  error: { code: string; message: string } | null;
}

const MAX_BYTES = 100_000;
const FILE = 'LALVOTERID\nLALCA1\nLALCA2\nLALCA3\n';

let hub: TestHub;
let files: Server;
let base: string;
/** Answers by path. */
const answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();

beforeAll(async () => {
  files = createServer((request, response) => {
    const answer = answers.get(request.url ?? '');
    if (answer) answer(request, response);
    else response.writeHead(404).end('nothing here');
  }).listen(0, '127.0.0.1');
  await once(files, 'listening');
  base = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
  hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  await makeL2Account(hub, '123456', { maxBytes: MAX_BYTES });
});

afterAll(async () => {
  await hub.stop();
  files.closeAllConnections();
  files.close();
  await once(files, 'close');
});

function push(name: string, path: string) {
  const body = JSON.stringify({ name: `IQM_123456_${name}`, url: base + path });
  return postUniverse(hub.url, 'application/json', body, signed(body));
}

const uploads = async (state: string) =>
  (await hub.ok<{ items: UploadView[] }>('GET', `/uploads?state=${state}`)).items;

async function storedKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of hub.hub.app.get<FileStore>(FILES).list('uploads/')) keys.push(key);
  return keys;
}

describe('a universe that lies at a URL', () => {
  it('is fetched, and becomes an audience', async () => {
    answers.set('/file.csv?key=1', (_, response) => response.end(FILE));
    const done = await importOfPush(hub, await push('Fetched', '/file.csv?key=1'));
    expect(done).toMatchObject({ state: 'published', added: 3, rows: { read: 3, rejected: 0 } });
    const audience = await hub.ok('GET', `/audiences/${done.audienceId}`);
    expect(audience).toMatchObject({ name: 'Fetched', kind: 'segmented', size: 3 });
  });

  it('is fetched where the URL redirects, and no secret of the hub goes along', async () => {
    const seen: IncomingMessage['headers'][] = [];
    answers.set('/old.csv', (request, response) => {
      seen.push(request.headers);
      response.writeHead(302, { location: '/new.csv' }).end();
    });
    answers.set('/new.csv', (request, response) => {
      seen.push(request.headers);
      response.end(FILE);
    });
    const done = await importOfPush(hub, await push('Redirected', '/old.csv'));
    expect(done).toMatchObject({ state: 'published', added: 3 });
    expect(seen).toHaveLength(2);
    const said = JSON.stringify(seen);
    for (const secret of Object.values(L2_SECRETS)) expect(said).not.toContain(secret);
    for (const headers of seen) expect(headers).not.toHaveProperty('authorization');
  });

  it.each([
    [
      'redirects for ever',
      '/loop',
      (response: ServerResponse) => response.writeHead(302, { location: '/loop' }).end(),
      422,
      'PUSH_REFUSED',
    ],
    ['is not there', '/missing', undefined, 422, 'PUSH_REFUSED'],
    [
      'answers with an error',
      '/error',
      (response: ServerResponse) => response.writeHead(500).end('broken'),
      422,
      'PUSH_REFUSED',
    ],
    ['is too large, and never ends', '/endless', endless, 413, 'BODY_TOO_LARGE'],
    ['breaks off', '/cut', cutShort, 400, 'MALFORMED_BODY'],
  ])('is refused where it %s, and leaves no bytes', async (what, path, answer, status, code) => {
    if (answer) answers.set(path, (_, response) => answer(response));
    const before = await hub.ok<{ total: number }>('GET', '/imports');
    expect(await push(what, path)).toMatchObject({ status, body: { code } });
    const [refused] = await uploads('refused');
    expect(refused).toMatchObject({ error: { code } });
    expect(await hub.ok<{ total: number }>('GET', '/imports')).toMatchObject({ total: before.total });
    expect(await storedKeys()).toEqual([]);
  });

  it('is fetched no further when its sender leaves', async () => {
    let closed = false;
    answers.set('/slow.csv', (request, response) => {
      request.socket.once('close', () => (closed = true));
      response.write(FILE);
    });
    const body = JSON.stringify({ name: 'IQM_123456_Left', url: `${base}/slow.csv` });
    const headers = { ...L2_BEARER, 'content-type': 'application/json' };
    const sender = send(`${hub.url}/api/v1/hooks/l2/universes`, { method: 'POST', headers });
    sender.on('error', () => undefined);
    sender.end(body);
    const under = await until('its first bytes were fetched', async () =>
      (await uploads('receiving')).find(({ receivedBytes }) => receivedBytes > 0),
    );
    sender.destroy();
    await until('the hub lets go of the URL', () => closed);
    const over = await until('the upload is refused', async () => {
      const upload = await hub.ok<UploadView>('GET', `/uploads/${under.id}`);
      return upload.state === 'receiving' ? undefined : upload;
    });
    expect(over).toMatchObject({
      state: 'refused',
      error: { code: 'MALFORMED_BODY', message: expect.stringContaining('left') },
    });
    expect(await storedKeys()).toEqual([]);
  });
});

/** More than the input takes, and no end to it. */
function endless(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(16_384, 'x')));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

/** Announces more than it sends. */
function cutShort(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 1000 });
  response.write(FILE, () => response.destroy());
}
