import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import type { ListedFile } from '../../src/kit/index.js';
import { describeInput, Evidence, MemoryDestination, testConnect } from '../../src/kit/testing/index.js';
import { s3Drop } from './index.js';
import { s3FaultOf } from './s3-fault.js';

let s3: FauxqsServer;
let client: S3Client;
let endpoint: string;
let buckets = 0;

beforeAll(async () => {
  s3 = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  endpoint = `http://127.0.0.1:${s3.port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true, credentials });
});

afterAll(async () => {
  client.destroy();
  await s3.stop();
});

function bucket(): string {
  buckets += 1;
  return s3.createBucket(`drop-${buckets}`).bucketName;
}

async function put(name: string, key: string, body: Uint8Array | string = 'id-1\n'): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: name, Key: key, Body: body }));
}

for (const layout of ['iqm', 'repro'] as const) {
  describeInput(
    s3Drop,
    {
      source() {
        const name = bucket();
        return Promise.resolve({
          settings: { bucket: name, region: 'us-east-1', endpoint, layout, prefix: 'drop/' },
          put: (key, body) => put(name, key, body),
          async delete(key) {
            await client.send(new DeleteObjectCommand({ Bucket: name, Key: key }));
          },
          close: () => Promise.resolve(s3.emptyBucket(name)),
        });
      },
      credentials: (canary) => ({ accessKeyId: `id-${canary}`, secretAccessKey: canary }),
      keyOf: (name) => (layout === 'iqm' ? `drop/onboarding/seat_id=42/crm/${name}.csv` : `drop/${name}.csv`),
      get broken() {
        return [
          {
            title: 'a missing bucket',
            settings: { bucket: 'nowhere', region: 'us-east-1', endpoint, layout },
            kind: 'config' as const,
          },
          {
            title: 'a port where nobody listens',
            settings: { bucket: 'nowhere', region: 'us-east-1', endpoint: 'http://127.0.0.1:9', layout },
            kind: 'retryable' as const,
          },
        ];
      },
    },
    `${layout} layout`,
  );
}

describe('the S3 drop', () => {
  it('does not look into folders below the prefix in the Repro layout', async () => {
    const name = bucket();
    await put(name, 'drop/buyers.csv');
    await put(name, 'drop/archive/old.csv');
    await put(name, 'other.csv');
    expect(await list({ bucket: name, layout: 'repro', prefix: '/drop' })).toMatchObject([
      { key: 'drop/buyers.csv', audienceName: 'buyers', workspace: { by: 'input' } },
    ]);
  });

  it('says why a key does not fit the IQM layout, and passes over folder markers', async () => {
    const name = bucket();
    await put(name, 'onboarding/');
    await put(name, 'onboarding/seat_id=42/too-high.csv');
    await put(name, 'onboarding/seat_id=42/crm/a.csv');
    const listed = await list({ bucket: name, layout: 'iqm' });
    expect(listed).toHaveLength(2);
    expect(listed.find(({ key }) => key.endsWith('too-high.csv'))).toMatchObject({
      refused: { code: expect.any(String) },
    });
    expect(listed.find(({ key }) => key.endsWith('a.csv'))).toMatchObject({
      workspace: { by: 'seat', seatId: '42' },
    });
  });

  it.each([
    ['AccessDenied', 403, 'auth'],
    ['InvalidAccessKeyId', 403, 'auth'],
    ['SignatureDoesNotMatch', 403, 'auth'],
    ['NoSuchBucket', 404, 'config'],
    ['PermanentRedirect', 301, 'config'],
    ['AuthorizationHeaderMalformed', 400, 'config'],
    ['SlowDown', 503, 'retryable'],
    ['InternalError', 500, 'retryable'],
  ])('turns %s (%i) into a fault of kind %s', async (code, status, kind) => {
    const answer: RequestListener = (_, response) => {
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`);
    };
    await serving(answer, (at) =>
      expect(list({ bucket: 'drop', endpoint: at, layout: 'iqm' })).rejects.toMatchObject({ kind }),
    );
  });

  it('turns a connection that breaks into a retryable fault', async () => {
    await serving(
      (request) => request.socket.destroy(),
      (at) =>
        expect(list({ bucket: 'drop', endpoint: at, layout: 'iqm' })).rejects.toMatchObject({
          kind: 'retryable',
          code: 'CONNECTION_LOST',
        }),
    );
  });

  it('turns a body that breaks off into a retryable fault, not into a short file', async () => {
    const breakOff: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-length': '1000', etag: '"e"' });
      response.write('id-1\n', () => response.destroy());
    };
    await serving(breakOff, async (at) => {
      const stream = await s3Drop.open(contextOf({ bucket: 'drop', endpoint: at, layout: 'iqm' }), {
        key: 'a.csv',
        revision: 'e:1000',
      });
      await expect(stream.toArray()).rejects.toMatchObject({ kind: 'retryable', code: 'CONNECTION_LOST' });
    });
  });

  it('resolves the names of servers as the host wants it', async () => {
    const asked: string[] = [];
    const lookup: LookupFunction = (name, _, done) => {
      asked.push(name);
      done(Object.assign(new Error('No such name.'), { code: 'ENOTFOUND' }), '');
    };
    const ctx = contextOf({ bucket: 'drop', endpoint: `http://s3.example.com:${s3.port}`, layout: 'iqm' });
    await expect(s3Drop.check({ ...ctx, lookup })).rejects.toMatchObject({ kind: 'retryable' });
    expect(new Set(asked)).toEqual(new Set(['s3.example.com']));
  });

  it('leaves what it does not know as it is, for the log', () => {
    const error = new TypeError('x is not a function');
    expect(s3FaultOf(error, 'drop')).toBe(error);
  });

  it('takes both keys or none, and names the endpoint for the egress rules', () => {
    expect(s3Drop.credentials.safeParse({ accessKeyId: 'a' }).success).toBe(false);
    expect(s3Drop.credentials.safeParse({}).success).toBe(true);
    const settings = { bucket: 'drop', region: 'us-east-1', layout: 'iqm' };
    const urlsOf = (more: object) => s3Drop.egressUrls?.(s3Drop.settings.parse({ ...settings, ...more }));
    expect(urlsOf({ endpoint: 'https://s3.example.com' })).toEqual(['https://s3.example.com']);
    expect(urlsOf({})).toEqual([]);
  });
});

async function serving(answer: RequestListener, use: (endpoint: string) => Promise<void>): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function contextOf(settings: object) {
  const { log } = new Evidence();
  return {
    settings: s3Drop.settings.parse({ region: 'us-east-1', endpoint, ...settings }),
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    http: { request: () => Promise.reject(new Error('The S3 drop speaks through its own client.')) },
    connect: testConnect(new AbortController().signal),
    destination: () => new MemoryDestination(),
    log,
    signal: new AbortController().signal,
    now: () => new Date(),
  };
}

async function list(settings: object): Promise<ListedFile[]> {
  const listed: ListedFile[] = [];
  for await (const file of s3Drop.trigger.list(contextOf(settings))) listed.push(file);
  return listed;
}
