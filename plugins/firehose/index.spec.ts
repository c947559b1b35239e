import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { batchFrom, identitiesOf, limitsOf, type OutputMember } from '../../src/kit/index.js';
import { describeOutput, PartnerServer, testReach } from '../../src/kit/testing/index.js';
import { FakeFirehose, type FakeFirehoseOptions, type Message, REGISTRATION } from './fake-firehose.js';
import type { FirehoseIdentity } from './identities.js';
import { firehose } from './index.js';

const member = (index: number): OutputMember<FirehoseIdentity> => ({
  mpid: String(1000 + index),
  identities: { email: [`person-${index}@example.com`], customer_id: [`customer-${index}`] },
});
const batchOf = (members: OutputMember<FirehoseIdentity>[], id = 'b1') =>
  batchFrom({ id, members, fromVersion: 0, toVersion: 1 });

describeOutput(firehose, {
  settings: (url) => ({ url, accountId: 42 }),
  credentials: (canary) => ({
    accountSecrets: JSON.stringify({ apiKey: `key-${canary}` }),
    accessToken: `token-${canary}`,
  }),
  connection: {},
  member,
  http: {
    partner: () => new FakeFirehose(),
    membersIn: ({ body }) => {
      const message = JSON.parse(body) as Partial<Extract<Message, { user_profiles: unknown }>>;
      return message.user_profiles?.length ?? 0;
    },
  },
});

describe('the Firehose output', () => {
  it('sends changes in the shape of Firehose, with the account and its confidential settings', async () => {
    const { requests, ctx } = await rig({}, { accountSettings: { region: 'eu' }, sendMpid: true });
    const people = [
      { mpid: '-7', identities: { email: ['a@example.com', 'b@example.com'], customer_id: ['c-1'] } },
      { mpid: '8', identities: { phone: ['+12025550101'] } },
    ];
    const audience = { externalId: '1234 {"segment":"s-1"}', name: 'Spring' };
    await firehose.audience.add(ctx, audience, batchOf(people));
    const audiences = [
      {
        audience_id: 1234,
        audience_name: 'Spring',
        audience_subscription_settings: { segment: 's-1' },
        action: 'add',
      },
    ];
    const raw = (type: string, value: string) => ({ type, encoding: 'raw', value });
    expect(requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      {
        type: 'audience_membership_change_request',
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        timestamp_ms: 1_767_225_600_000,
        firehose_version: '3.2.0',
        account: { account_id: 42, account_settings: { region: 'eu', apiKey: 'secret' } },
        user_profiles: [
          {
            mpid: '-7',
            user_identities: [
              raw('customer', 'c-1'),
              raw('email', 'a@example.com'),
              raw('email', 'b@example.com'),
            ],
            audiences,
          },
          { mpid: '8', user_identities: [raw('mobile_number', '+12025550101')], audiences },
        ],
      },
    ]);
  });

  it('sends shared attributes as an update of the audience, beside the membership', async () => {
    const { requests, ctx } = await rig({}, {});
    const one = { ...member(0), attributes: { Party: 'Green' } };
    await firehose.audience.add(ctx, { externalId: '1', name: 'Spring' }, batchOf([one, member(1)]));
    const { user_profiles: profiles } = JSON.parse(requests[0]?.body ?? '') as { user_profiles: object[] };
    const added = { audience_id: 1, audience_name: 'Spring', action: 'add' };
    const update = { key: 'Party', value: 'Green', action: 'upsert' };
    expect(profiles).toMatchObject([
      { audiences: [added, { ...added, action: 'attribute_update', user_attributes: [update] }] },
      { audiences: [added] },
    ]);
  });

  it('sends the same batch under the same id, and every other one under another', async () => {
    const { requests, ctx } = await rig({}, {});
    const audience = { externalId: '1', name: 'Spring' };
    await firehose.audience.add(ctx, audience, batchOf([member(0)]));
    await firehose.audience.add(ctx, audience, batchOf([member(0)]));
    await firehose.audience.remove?.(ctx, audience, batchOf([member(0)]));
    await firehose.audience.add(ctx, audience, batchOf([member(0)], 'b2'));
    const ids = requests.map(({ body }) => (JSON.parse(body) as Message).id);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
  });

  it('subscribes an audience once, and keeps what the receiver sets', async () => {
    const { requests, ctx } = await rig({ subscriptionSettings: { segment: 's-9' } }, {});
    const own = { ...ctx, connection: { subscriptionSettings: { tier: 'gold' } } };
    const created = await firehose.audience.create?.(own, { name: 'Spring' });
    await expect(firehose.audience.create?.(own, { name: 'Spring' })).resolves.toEqual(created);
    expect(created?.externalId).toMatch(/^\d{1,10} \{"segment":"s-9"\}$/);
    const [first, second] = requests.map(({ body }) => JSON.parse(body) as Message);
    expect(first).toEqual(second);
    expect(first).toMatchObject({
      type: 'audience_subscription_request',
      audience_name: 'Spring',
      audience_subscription_settings: { tier: 'gold' },
      action: 'add',
    });
    const audience = { externalId: created?.externalId ?? '', name: 'Spring' };
    await firehose.audience.add(own, audience, batchOf([member(0)]));
    await firehose.audience.delete?.(own, audience);
    const [change, removal] = requests.slice(2).map(({ body }) => JSON.parse(body) as Message);
    const all = { tier: 'gold', segment: 's-9' };
    expect(change).toMatchObject({
      user_profiles: [{ audiences: [{ audience_subscription_settings: all, action: 'add' }] }],
    });
    expect(removal).toMatchObject({ action: 'remove', audience_subscription_settings: all });
  });

  it('takes the id of the audience from the connection where that has one', async () => {
    const { ctx } = await rig({}, {});
    const own = { ...ctx, connection: { audienceId: 77, subscriptionSettings: {} } };
    await expect(firehose.audience.create?.(own, { name: 'Spring' })).resolves.toEqual({
      externalId: '77',
      found: true,
    });
  });

  it('stops where the receiver suspends the subscription', async () => {
    const { ctx } = await rig({ suspends: true }, {});
    await expect(
      firehose.audience.add(ctx, { externalId: '1', name: 'Spring' }, batchOf([member(0)])),
    ).rejects.toMatchObject({ kind: 'config', code: 'SUBSCRIPTION_SUSPENDED' });
  });

  it.each(['{}', '[]', '{"type":"event_processing_response"}', '{"type":"audience_subscription_response"}'])(
    'does not take %s for an answer',
    async (body) => {
      const { server, ctx } = await rig({}, {});
      server.failure = () => ({ status: 200, body });
      await expect(
        firehose.audience.add(ctx, { externalId: '1', name: 'Spring' }, batchOf([member(0)])),
      ).rejects.toMatchObject({ kind: 'retryable', code: 'MALFORMED_RESPONSE' });
    },
  );

  it.each([
    [{}, {}, undefined],
    [{ name: 'Events only', version: '1.0' }, {}, 'audience_processing_registration'],
    [REGISTRATION, { email: 'sha256' as const }, 'email (sha256)'],
    [{ ...REGISTRATION, permissions: undefined }, {}, 'none'],
    [REGISTRATION, { sendMpid: true }, 'allow_access_mpid'],
    [
      {
        ...REGISTRATION,
        audience_processing_registration: {
          account_settings: [
            { id: 'customerId', required: true },
            { id: 'more', required: false },
          ],
        },
      },
      {},
      'customerId',
    ],
  ])('checks the settings against the registration (%#)', async (registration, settings, missing) => {
    const { ctx } = await rig(missing === undefined ? {} : { registration }, settings);
    if (missing === undefined) {
      await expect(firehose.check(ctx)).resolves.toBeUndefined();
    } else {
      await expect(firehose.check(ctx)).rejects.toMatchObject({
        kind: 'config',
        code: 'RECEIVER_MISFIT',
        message: expect.stringContaining(missing),
      });
    }
  });

  it('carries an access token in the header that the receiver wants', async () => {
    const bearer = await rig({}, {}, { accessToken: 'token' });
    await firehose.check(bearer.ctx);
    expect(bearer.requests[0]?.headers).toMatchObject({ authorization: 'Bearer token' });
    const custom = await rig({}, { authHeader: 'X-Acme-Token' }, { accessToken: 'token' });
    await firehose.check(custom.ctx);
    expect(custom.requests[0]?.headers).toMatchObject({ 'x-acme-token': 'token' });
    expect(custom.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('packs bodies where it is told to', async () => {
    const partner = new FakeFirehose();
    const server = createServer((request, response) => {
      const answer = async () => {
        const body = gunzipSync(await buffer(request)).toString();
        const headers = { 'content-type': request.headers['content-type'] ?? '' };
        const { status, body: text } = partner.answer({ method: 'POST', url: '/', headers, body });
        response.writeHead(request.headers['content-encoding'] === 'gzip' ? status : 415).end(text);
      };
      answer().catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { ctx } = await rig(
      {},
      { compression: 'gzip', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` },
    );
    await firehose.audience.add(ctx, { externalId: '5', name: 'Spring' }, batchOf([member(0)]));
    expect(partner.state()).toEqual([[5, ['customer raw customer-0', 'email raw person-0@example.com']]]);
    server.closeAllConnections();
    server.close();
  });

  it('asks for the identities that the settings share, hashes known from before among them', async () => {
    const parse = (more: object) =>
      firehose.settings.parse({ url: 'https://x.example.com', accountId: 1, ...more });
    const shared = { email: 'sha256', phone: 'off', customerId: 'md5', batchSize: 7, concurrency: 3 };
    expect(identitiesOf(firehose, parse(shared))).toEqual([
      { type: 'customer_id', encoding: 'md5' },
      { type: 'email', encoding: 'sha256' },
      { type: 'email_sha256', encoding: 'raw' },
    ]);
    expect(limitsOf(firehose, parse(shared))).toEqual({ batchSize: 7, concurrency: 3 });
    const expiry = (given: object) =>
      firehose.expireAfterMs?.(parse(given), firehose.connectionSettings.parse({}));
    expect([expiry(shared), expiry({ ...shared, expireAfterDays: 2 })]).toEqual([undefined, 172_800_000]);
    expect(
      firehose.settings.safeParse({ ...parse({}), email: 'off', phone: 'off', customerId: 'off' }).success,
    ).toBe(false);
    const { requests, ctx } = await rig({}, { email: 'sha256', customerId: 'off', phone: 'off' });
    const identities = { email: ['aa'], email_sha256: ['aa', 'bb'], customer_id: ['never'] };
    const audience = { externalId: '1', name: 'Spring' };
    await firehose.audience.add(ctx, audience, batchOf([{ mpid: '1', identities }]));
    expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({
      user_profiles: [
        {
          user_identities: [
            { type: 'email', encoding: 'sha256', value: 'aa' },
            { type: 'email', encoding: 'sha256', value: 'bb' },
          ],
        },
      ],
    });
  });

  it.each(['apiKey', '{"apiKey": 1}', '[]', '{"apiKey": {"x": "y"}}'])(
    'takes no secrets such as %s',
    (text) => {
      expect(firehose.credentials.safeParse({ accountSecrets: text }).success).toBe(false);
    },
  );
});

const servers: PartnerServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function rig(
  options: FakeFirehoseOptions,
  settings: Partial<z.input<typeof firehose.settings>>,
  credentials: z.input<typeof firehose.credentials> = {},
) {
  const server = await PartnerServer.start(new FakeFirehose({ apiKey: 'secret', ...options }));
  servers.push(server);
  const ctx: Parameters<typeof firehose.audience.add>[0] = {
    settings: firehose.settings.parse({ url: server.url, accountId: 42, ...settings }),
    credentials: { accountSecrets: '{"apiKey":"secret"}', ...credentials },
    connection: { subscriptionSettings: {} },
    ...testReach(),
  };
  return { server, requests: server.requests, ctx };
}
