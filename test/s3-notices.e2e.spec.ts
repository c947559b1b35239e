import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { SourceNoticesWorker } from '../src/features/imports/source-notices/source-notices.worker.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { until } from './support/until.js';

const SECRET = 'a-secret-of-the-webhook';
const KEYS = { accessKeyId: 'test', secretAccessKey: 'test' };

let hub: TestHub;
let aws: FauxqsServer;
let s3: S3Client;
let sqs: SQSClient;
let queueUrl: string;
let inputId: string;

beforeAll(async () => {
  aws = await startFauxqs({ port: 0, logger: false });
  const endpoint = `http://127.0.0.1:${aws.port}`;
  s3 = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true, credentials: { ...KEYS } });
  sqs = new SQSClient({ region: 'us-east-1', endpoint, credentials: { ...KEYS } });
  aws.createBucket('drop');
  const attributes = { VisibilityTimeout: '1' };
  const made = await sqs.send(new CreateQueueCommand({ QueueName: 'events', Attributes: attributes }));
  queueUrl = made.QueueUrl ?? '';
  hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  const { id: organizationId } = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Buckets' });
  const workspace = { organizationId, name: 'W', seatId: '42' };
  const { id: workspaceId } = await hub.ok<{ id: string }>('POST', '/workspaces', workspace);
  const input = await hub.ok<{ id: string }>('POST', '/inputs', {
    workspaceId,
    plugin: 's3-drop',
    name: 'bucket',
    // The address of the queue has a name that not every machine resolves.
    settings: {
      bucket: 'drop',
      region: 'us-east-1',
      endpoint,
      layout: 'iqm',
      queueUrl,
      queueEndpoint: endpoint,
    },
    credentials: { ...KEYS, webhookSecret: SECRET },
  });
  inputId = input.id;
});
afterAll(async () => {
  await hub?.stop();
  s3?.destroy();
  sqs?.destroy();
  await aws?.stop();
});

const keyOf = (name: string) => `onboarding/seat_id=42/crm/${name}.csv`;

async function put(name: string, people: number): Promise<void> {
  const body = `Email\n${Array.from({ length: people }, (_, n) => `p${n}@example.com\n`).join('')}`;
  await s3.send(new PutObjectCommand({ Bucket: 'drop', Key: keyOf(name), Body: body }));
}

const eventOf = (...names: string[]) => ({
  Records: names.map((name) => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'drop' }, object: { key: encodeURIComponent(keyOf(name)) } },
  })),
});

const send = (body: unknown) =>
  sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(body) }));

const messages = () => aws.inspectQueue('events')?.messages;
const left = () => {
  const { ready = [], inflight = [], delayed = [] } = messages() ?? {};
  return ready.length + inflight.length + delayed.length;
};

interface Import {
  sourceKey: string;
  state: string;
}
const importsOf = async (name: string) => {
  const { items } = await hub.ok<{ items: Import[] }>('GET', `/imports?inputId=${inputId}&pageSize=100`);
  return items.filter((one) => one.sourceKey === keyOf(name));
};

/** Two processes listen at the same time until `done`. */
async function listening<T>(what: string, done: () => Promise<T | undefined>): Promise<T> {
  const stop = new AbortController();
  const worker = hub.hub.app.get(SourceNoticesWorker);
  const both = [1, 2].map(() => worker.listen(inputId, stop.signal, 60_000));
  try {
    return await until(what, done, 30_000);
  } finally {
    stop.abort();
    await Promise.allSettled(both);
  }
}

describe('event notifications in a queue', () => {
  it('have their keys imported once and alone, and are gone afterwards', async () => {
    await put('told', 2);
    await put('not-told', 2);
    await send(eventOf('told'));
    await send({ Type: 'Notification', Message: JSON.stringify(eventOf('told')) });
    await send({ Event: 's3:TestEvent' });
    const made = await listening('the key is imported and the queue empty', async () => {
      const found = await importsOf('told');
      return found[0]?.state === 'published' && left() === 0 ? found : undefined;
    });
    expect(made).toHaveLength(1);
    expect(await importsOf('not-told')).toEqual([]);
  });

  it('that cannot be read stay in the queue, and the input says so', async () => {
    await send({ hello: 'world' });
    await put('beside', 1);
    await send(eventOf('beside'));
    await listening('the input shows the problem and the other key is imported', async () => {
      const input = await hub.ok<{ lastScanError: { code: string } | null }>('GET', `/inputs/${inputId}`);
      const [beside] = await importsOf('beside');
      return input.lastScanError?.code === 'NOTICE_UNREADABLE' && beside?.state === 'published'
        ? true
        : undefined;
    });
    expect(left()).toBe(1);
  });
});

describe('event notifications sent to the hub', () => {
  const post = (id: string, secret: string | null, body: object) =>
    hub.api<{ queued: string[]; code?: string }>('POST', `/hooks/s3/${id}`, body, secret);

  it('have the named keys looked at, and no other', async () => {
    await put('hooked', 1);
    await put('not-hooked', 1);
    const answer = await post(inputId, SECRET, eventOf('hooked', 'gone'));
    expect(answer).toMatchObject({ status: 202, body: { queued: [expect.any(String)] } });
    await until(
      'it is imported',
      async () => (await importsOf('hooked'))[0]?.state === 'published' || undefined,
    );
    expect(await importsOf('not-hooked')).toEqual([]);
    expect(await post(inputId, SECRET, eventOf('hooked'))).toMatchObject({
      status: 202,
      body: { queued: [] },
    });
  });

  it('are refused alike without the secret, with another one, and for an input that is not there', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    const answers = [
      await post(inputId, null, eventOf('hooked')),
      await post(inputId, `${SECRET}!`, eventOf('hooked')),
      await post(unknown, SECRET, eventOf('hooked')),
      await post('no-id', SECRET, eventOf('hooked')),
    ];
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
  });

  it('that cannot be read are refused with what was expected', async () => {
    const answer = await post(inputId, SECRET, { hello: 'world' });
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('EventBridge') } });
  });
});
