import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { s3Drop } from '../plugins/s3-drop/index.js';
import { Evidence, MemoryDestination, testConnect } from '../src/kit/testing/index.js';
import { Sts } from './support/sts.js';

const ROLE = 'arn:aws:iam::111122223333:role/drop-reader';
const EXTERNAL_ID = 'customer-7f3a';
const PAGES = 3;
const OWN_KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;

interface Asked {
  by: string | undefined;
  token: string | undefined;
}

let bucket: Server;
let asked: Asked[];
let sts: Sts;

/** A bucket that notes who asks, and lists one object a page. */
beforeAll(async () => {
  bucket = createServer((request, response) => {
    const { authorization = '', 'x-amz-security-token': token } = request.headers;
    asked.push({ by: /Credential=([^/]+)\//.exec(authorization)?.[1], token: token?.toString() });
    const page = Number(new URL(request.url ?? '', 'http://s3').searchParams.get('continuation-token') ?? 0);
    const more =
      page + 1 < PAGES
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page + 1}</NextContinuationToken>`
        : '<IsTruncated>false</IsTruncated>';
    const object = `<Contents><Key>a${page}.csv</Key><ETag>"e"</ETag><Size>5</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`;
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><ListBucketResult>${more}${object}</ListBucketResult>`);
  });
  await new Promise<void>((resolve) => bucket.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  bucket.closeAllConnections();
  await new Promise((resolve) => bucket.close(resolve));
});
beforeEach(async () => {
  asked = [];
  sts = await Sts.start({ roleArn: ROLE, externalId: EXTERNAL_ID });
});
afterEach(async () => {
  await sts.stop();
});

function contextOf(credentials: object) {
  const { signal } = new AbortController();
  return {
    settings: s3Drop.settings.parse({
      bucket: 'drop',
      region: 'us-east-1',
      layout: 'repro',
      endpoint: `http://127.0.0.1:${(bucket.address() as AddressInfo).port}`,
      stsEndpoint: sts.url,
    }),
    credentials: s3Drop.credentials.parse(credentials),
    http: { request: () => Promise.reject(new Error('The S3 drop speaks through its own client.')) },
    connect: testConnect(signal),
    destination: () => new MemoryDestination(),
    log: new Evidence().log,
    signal,
    now: () => new Date(),
  };
}

async function listed(credentials: object): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of s3Drop.trigger.list(contextOf(credentials))) keys.push(key);
  return keys;
}

const KEYS = { accessKeyId: 'AKIAINPUT', secretAccessKey: 'secret' };

describe('an S3 drop with a role', () => {
  it('asks for a session by the keys of the input once, and reads with the session', async () => {
    expect(await listed({ ...KEYS, roleArn: ROLE, externalId: EXTERNAL_ID })).toEqual([
      'a0.csv',
      'a1.csv',
      'a2.csv',
    ]);
    expect(sts.given).toEqual([{ accessKeyId: expect.stringMatching(/^ASIA/), by: 'AKIAINPUT' }]);
    const session = sts.given[0]?.accessKeyId ?? '';
    expect(asked).toEqual(
      Array.from({ length: PAGES }, () => ({ by: session, token: `token-of-${session}` })),
    );
  });

  it('asks anew before the session ends, in the middle of a listing', async () => {
    sts.lastsMs = 1000;
    expect(await listed({ ...KEYS, roleArn: ROLE, externalId: EXTERNAL_ID })).toHaveLength(PAGES);
    expect(sts.given.length).toBeGreaterThanOrEqual(PAGES);
    expect(new Set(asked.map(({ by }) => by)).size).toBeGreaterThan(1);
  });

  it('comes as who the hub is where the input has no keys', async () => {
    await asHub('AKIAHUB', () => listed({ roleArn: ROLE, externalId: EXTERNAL_ID }));
    expect(sts.given).toEqual([expect.objectContaining({ by: 'AKIAHUB' })]);
    asked = [];
    await asHub('AKIAHUB', () => listed({}));
    expect(asked).toEqual(Array.from({ length: PAGES }, () => ({ by: 'AKIAHUB', token: undefined })));
  });

  it.each([
    ['another external id', { roleArn: ROLE, externalId: 'another' }],
    ['no external id', { roleArn: ROLE }],
    ['another role', { roleArn: `${ROLE}-2`, externalId: EXTERNAL_ID }],
  ])('says that the role is refused with %s, and asks nothing of the bucket', async (_what, credentials) => {
    const failing = listed({ ...KEYS, ...credentials });
    await expect(failing).rejects.toMatchObject({ kind: 'auth', code: 'ROLE_REFUSED' });
    expect(asked).toEqual([]);
  });

  it('tells a server of roles that does not answer from one that refuses', async () => {
    await sts.stop();
    const failing = listed({ ...KEYS, roleArn: ROLE, externalId: EXTERNAL_ID });
    await expect(failing).rejects.toMatchObject({ kind: 'retryable', code: 'CONNECTION_LOST' });
  });

  it.each([
    [{ roleArn: 'drop-reader' }],
    [{ externalId: EXTERNAL_ID }],
    [{ roleArn: ROLE, externalId: 'with blank' }],
  ])('does not take %j', (credentials) => {
    expect(s3Drop.credentials.safeParse(credentials).success).toBe(false);
  });
});

/** Runs `work` in an environment that has these keys, as the default chain of AWS finds them. */
async function asHub(accessKeyId: string, work: () => Promise<unknown>): Promise<void> {
  const before = OWN_KEYS.map((name) => [name, process.env[name]] as const);
  process.env.AWS_ACCESS_KEY_ID = accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = 'secret-of-the-hub';
  try {
    await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
