import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { batchFrom, limitsOf, type OutputMember } from '../../src/kit/index.js';
import { describeOutput, PartnerServer, testReach } from '../../src/kit/testing/index.js';
import { bodyOf, fakeReceiver } from './fake-receiver.js';
import { webhook } from './index.js';

const member = (index: number): OutputMember => ({
  mpid: String(1000 + index),
  identities: {
    email: [`person-${index}@example.com`],
    phone: [`+1202555${String(index).padStart(4, '0')}`],
  },
});

describeOutput(webhook, {
  settings: (url) => ({ url }),
  credentials: (canary) => ({ secret: canary }),
  connection: {},
  member,
  http: {
    partner: () => fakeReceiver(),
    partnerRejecting: (indexes) => fakeReceiver(indexes),
    membersIn: (request) => bodyOf(request).members?.length ?? 0,
  },
});

describe('the webhook output', () => {
  const audience = { externalId: 'list-1', name: 'Spring buyers' };
  const batch = batchFrom({ id: 'batch-7', members: [member(0), member(1)], fromVersion: 3, toVersion: 4 });

  it('sends a signed batch that a receiver can check and recognise', async () => {
    const { requests, ctx } = await answering(204);
    await webhook.audience.add(ctx, audience, batch);

    const body = requests[0]?.body ?? '';
    const digest = createHmac('sha256', 'shared').update(`1767225600.${body}`).digest('hex');
    expect(requests).toMatchObject([
      {
        method: 'POST',
        url: '/hook',
        headers: { 'idempotency-key': 'batch-7', 'x-hub-signature': `t=1767225600,v1=${digest}` },
      },
    ]);
    expect(JSON.parse(body)).toEqual({
      event: 'audience.members',
      audience,
      batchId: 'batch-7',
      operation: 'add',
      fromVersion: 3,
      toVersion: 4,
      members: batch.members,
    });
  });

  it('is believed by the receiver that the README shows, and by no one with another secret', async () => {
    const { requests, ctx } = await answering(204);
    await webhook.audience.add(ctx, audience, batch);
    const readme = await readFile('plugins/webhook/README.md', 'utf8');
    const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const { isFromTheHub } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
      isFromTheHub: (secret: string, signature: string, body: string, nowSeconds: number) => boolean;
    };
    const [{ headers, body } = { headers: {}, body: '' }] = requests;
    const signature = String(new Map(Object.entries(headers)).get('x-hub-signature'));
    expect(isFromTheHub('shared', signature, body, 1_767_225_700)).toBe(true);
    expect(isFromTheHub('other', signature, body, 1_767_225_700)).toBe(false);
    expect(isFromTheHub('shared', signature, `${body} `, 1_767_225_700)).toBe(false);
    expect(isFromTheHub('shared', signature, body, 1_767_229_200)).toBe(false);
  });

  it.each([
    ['an index past the batch', '{"rejected":[{"index":2,"code":"X","message":""}]}'],
    ['a negative index', '{"rejected":[{"index":-1,"code":"X","message":""}]}'],
    [
      'the same index twice',
      '{"rejected":[{"index":0,"code":"X","message":""},{"index":0,"code":"Y","message":""}]}',
    ],
    ['an index that is a text', '{"rejected":[{"index":"0","code":"X","message":""}]}'],
    ['a list', '[]'],
    ['HTML', '<html></html>'],
  ])('does not believe a receiver that answers with %s', async (_, text) => {
    const { ctx } = await answering(200, text);
    await expect(webhook.audience.add(ctx, audience, batch)).rejects.toMatchObject({
      kind: 'retryable',
      code: 'MALFORMED_RESPONSE',
    });
  });

  it('keeps identities that a receiver quotes out of the outcome', async () => {
    const text = '{"rejected":[{"index":1,"code":"BAD","message":"person-1@example.com is not known"}]}';
    const { ctx } = await answering(200, text);
    await expect(webhook.audience.add(ctx, audience, batch)).resolves.toEqual({
      status: 'done',
      rejected: [{ index: 1, code: 'BAD', message: '… is not known' }],
    });
  });

  it.each([413, 422])('leaves a batch refused with %i to be taken apart', async (status) => {
    const { ctx } = await answering(status);
    await expect(webhook.audience.remove?.(ctx, audience, batch)).rejects.toMatchObject({
      kind: 'permanent',
    });
  });

  it('takes the id that the receiver gives the audience, else the connection', async () => {
    const named = await answering(200, '{"externalId":"segment-9"}');
    await expect(webhook.audience.create?.(named.ctx, { name: 'A' })).resolves.toEqual({
      externalId: 'segment-9',
    });
    const silent = await answering(200);
    await expect(webhook.audience.create?.(silent.ctx, { name: 'A' })).resolves.toEqual({
      externalId: 'connection-1',
    });
  });

  it('asks for the number of members only where the receiver tells it, and believes no other answer', async () => {
    const silent = await answering(200, '{"count":5}');
    await expect(webhook.audience.count?.(silent.ctx, audience)).resolves.toBeUndefined();
    expect(silent.requests).toEqual([]);

    const asked = async (status: number, text: string) => {
      const { requests, ctx } = await answering(status, text);
      const tells = { ...ctx, settings: { ...ctx.settings, tellsCount: true } };
      return { requests, count: await webhook.audience.count?.(tells, audience) };
    };
    const told = await asked(200, '{"count":5}');
    expect(told.count).toBe(5);
    expect(JSON.parse(told.requests[0]?.body ?? '')).toEqual({ event: 'audience.count', audience });
    for (const text of ['', '{"count":-1}', '{"count":1.5}', '[]']) {
      await expect(asked(200, text)).rejects.toMatchObject({ code: 'MALFORMED_RESPONSE' });
    }
    await expect(asked(410, '')).rejects.toMatchObject({ kind: 'config', code: 'LIST_GONE' });
  });

  it('says after how long the receiver forgets somebody, where it does', () => {
    const url = 'https://receiver.example.com';
    const of = (given: object) => webhook.expireAfterMs?.(webhook.settings.parse({ url, ...given }), {});
    expect([of({}), of({ expireAfterDays: 30 })]).toEqual([undefined, 2_592_000_000]);
  });

  it('lets settings make batches smaller', () => {
    const settings = webhook.settings.parse({ url: 'https://receiver.example.com', batchSize: 50 });
    expect(limitsOf(webhook, settings).batchSize).toBe(50);
    expect(webhook.settings.safeParse({ url: 'https://receiver.example.com', batchSize: 1001 }).success).toBe(
      false,
    );
    expect(webhook.settings.safeParse({ url: 'ftp://receiver.example.com' }).success).toBe(false);
  });

  it('keeps to a rate where the receiver has one', () => {
    const url = 'https://receiver.example.com';
    const rateLimit = { requests: 20, perSeconds: 60 };
    expect(limitsOf(webhook, webhook.settings.parse({ url, rateLimit })).rateLimit).toEqual(rateLimit);
    expect(limitsOf(webhook, webhook.settings.parse({ url })).rateLimit).toBeUndefined();
    expect(webhook.settings.safeParse({ url, rateLimit: { requests: 0, perSeconds: 60 } }).success).toBe(
      false,
    );
  });
});

const servers: PartnerServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

/** A receiver that gives one answer, and a context that reaches it. */
async function answering(status: number, body = '') {
  const server = await PartnerServer.start({ answer: () => ({ status, body }), state: () => undefined });
  servers.push(server);
  const ctx: Parameters<typeof webhook.audience.add>[0] = {
    settings: webhook.settings.parse({ url: `${server.url}/hook` }),
    credentials: { secret: 'shared' },
    connection: {},
    ...testReach(),
  };
  return { requests: server.requests, ctx };
}
