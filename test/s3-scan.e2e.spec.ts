import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'drizzle-orm';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { inputs, sources, type Database } from '../src/platform/database/index.js';
import { DATABASE } from '../src/platform/nest/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { LargeBucket } from './support/large-bucket.js';
import { until } from './support/until.js';

const KEYS = { accessKeyId: 'test', secretAccessKey: 'test' };

let hub: TestHub;
let db: Database;
let workspaceId: string;

beforeAll(async () => {
  hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  db = hub.hub.app.get<Database>(DATABASE);
  const { id: organizationId } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Buckets' });
  const workspace = { organizationId, name: 'W', seatId: '42' };
  workspaceId = (await hub.ok<{ id: string }>('POST', '/workspaces', workspace)).id;
});
afterAll(async () => {
  await hub?.stop();
});

async function inputAt(endpoint: string): Promise<string> {
  const { id } = await hub.ok<{ id: string }>('POST', '/inputs', {
    workspaceId,
    plugin: 's3-drop',
    name: `bucket at ${endpoint}`,
    settings: { bucket: 'drop', region: 'us-east-1', endpoint, layout: 'iqm' },
    credentials: { ...KEYS },
  });
  return id;
}

interface Scanned {
  listed: number;
  unchanged: number;
  queued: string[];
}
interface Import {
  id: string;
  state: string;
  error: { code: string } | null;
}

const scan = (inputId: string) => hub.api<Scanned>('POST', `/inputs/${inputId}/scan`);
const importsOf = async (inputId: string) =>
  (await hub.ok<{ items: Import[] }>('GET', `/imports?inputId=${inputId}`)).items;

describe('a bucket with many keys', () => {
  const COUNT = 5200;
  let bucket: LargeBucket;
  let inputId: string;

  beforeAll(async () => {
    bucket = await LargeBucket.start(COUNT);
    inputId = await inputAt(bucket.url);
    // As if all had been taken in before.
    const key = sql`'onboarding/seat_id=42/crm/' || lpad(n::text, 7, '0') || '.csv'`;
    await db.execute(sql`
      insert into ${sources} (id, input_id, key, revision)
      select gen_random_uuid(), ${inputId}::uuid, ${key}, ${`e:${LargeBucket.body.length}`}
      from generate_series(0, ${COUNT - 1}::int) as n`);
  });
  afterAll(() => bucket.stop());

  const cursor = async () => {
    const rows = await db
      .select({ at: inputs.scanCursor })
      .from(inputs)
      .where(sql`id = ${inputId}`);
    return rows[0]?.at ?? null;
  };

  it('is compared with what is known, and only what changed is imported', async () => {
    bucket.etags.set(LargeBucket.keyOf(4321), 'f');
    const { body } = await scan(inputId);
    expect(body).toMatchObject({ listed: COUNT, unchanged: COUNT - 1, queued: [expect.any(String)] });
    await until(
      'it is imported',
      async () => (await importsOf(inputId))[0]?.state === 'published' || undefined,
    );
    expect(bucket.begun.splice(0)).toEqual([null]);
    expect(await cursor()).toBeNull();
  });

  it('is listed on from where the listing was cut off, and then round, so that nothing is passed over', async () => {
    bucket.pagesLeft = 2;
    expect((await scan(inputId)).status).toBeGreaterThanOrEqual(400);
    expect(await cursor()).toBe(LargeBucket.keyOf(1999));
    bucket.begun.length = 0;
    // Cut off again, behind the first place.
    bucket.pagesLeft = 1;
    expect((await scan(inputId)).status).toBeGreaterThanOrEqual(400);
    expect(bucket.begun[0]).toBe(LargeBucket.keyOf(1999));
    expect(await cursor()).toBe(LargeBucket.keyOf(2999));
    bucket.begun.length = 0;
    bucket.pagesLeft = Number.POSITIVE_INFINITY;
    bucket.etags.set(LargeBucket.keyOf(0), 'g').set(LargeBucket.keyOf(2999), 'g');
    bucket.etags.set(LargeBucket.keyOf(3000), 'g').set(LargeBucket.keyOf(COUNT - 1), 'g');
    const { body } = await scan(inputId);
    expect(body).toMatchObject({ listed: COUNT, unchanged: COUNT - 4 });
    expect(body.queued).toHaveLength(4);
    expect(bucket.begun).toEqual([LargeBucket.keyOf(2999), null]);
    expect(await cursor()).toBeNull();
  });
});

describe('an object that is replaced while it is read', () => {
  const KEY = 'onboarding/seat_id=42/crm/buyers.csv';
  let aws: FauxqsServer;
  let s3: S3Client;
  let front: Server;
  let cuts = 0;

  const emails = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, n) => `${prefix}${n}@example.com`);
  const put = (people: readonly string[]) =>
    s3.send(new PutObjectCommand({ Bucket: 'drop', Key: KEY, Body: `Email\n${people.join('\n')}\n` }));

  beforeAll(async () => {
    aws = await startFauxqs({ port: 0, logger: false });
    aws.createBucket('drop');
    s3 = new S3Client({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${aws.port}`,
      forcePathStyle: true,
      credentials: { ...KEYS },
    });
    // The first time that the object is read, half of it comes; then it is another, and the line breaks.
    front = createServer((incoming, outgoing) => {
      const { method = 'GET', url = '/', headers } = incoming;
      const onward = httpRequest(
        { host: '127.0.0.1', port: aws.port, method, path: url, headers },
        (answer) => {
          const isRead = method === 'GET' && url.includes('buyers.csv') && cuts === 0;
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          if (!isRead) {
            answer.pipe(outgoing);
            return;
          }
          cuts += 1;
          void answer.toArray().then(async (chunks: Buffer[]) => {
            const body = Buffer.concat(chunks);
            outgoing.write(body.subarray(0, body.length / 2));
            await put(emails('new', 700));
            outgoing.destroy();
          });
        },
      );
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    s3.destroy();
    front.closeAllConnections();
    await new Promise((resolve) => front.close(resolve));
    await aws.stop();
  });

  it('is read anew, and the members are those of the new one alone', async () => {
    await put(emails('old', 1000));
    const inputId = await inputAt(`http://127.0.0.1:${(front.address() as AddressInfo).port}`);
    expect((await scan(inputId)).body.queued).toHaveLength(1);
    const found = await until(
      'the new object is imported',
      async () => {
        const all = await importsOf(inputId);
        return all.some(({ state }) => state === 'published') ? all : undefined;
      },
      60_000,
    );
    expect(cuts).toBe(1);
    expect(found).toHaveLength(2);
    expect(found.find(({ state }) => state !== 'published')).toMatchObject({
      state: 'discarded',
      error: { code: 'SOURCE_REPLACED' },
    });
    const { items } = await hub.ok<{ items: { name: string; size: number }[] }>(
      'GET',
      `/audiences?workspaceId=${workspaceId}&pageSize=100`,
    );
    expect(items.find(({ name }) => name === 'buyers')).toMatchObject({ size: 700 });
  });
});
