import { afterEach, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { batchFrom, identitiesOf, limitsOf, type OutputMember } from '../../src/kit/index.js';
import { describeOutput, PartnerServer, testReach } from '../../src/kit/testing/index.js';
import type { BrazeIdentity } from './attributes.js';
import { type Attributes, FakeBraze, type FakeBrazeOptions } from './fake-braze.js';
import { braze } from './index.js';

const member = (index: number): OutputMember<BrazeIdentity> => ({
  mpid: String(1000 + index),
  identities: { customer_id: [`customer-${index}`] },
});
const audience = { externalId: 'Spring', name: 'Spring' };
const batchOf = (members: OutputMember<BrazeIdentity>[]) =>
  batchFrom({ id: 'b1', members, fromVersion: 0, toVersion: 1 });
const attributesOf = (body: string) => (JSON.parse(body) as { attributes: Attributes[] }).attributes;

for (const membership of ['boolean', 'array'] as const) {
  describeOutput(
    braze,
    {
      settings: (url) => ({ endpoint: url, membership }),
      credentials: (canary) => ({ apiKey: canary }),
      connection: {},
      member,
      http: {
        partner: () => new FakeBraze(),
        partnerRejecting: (refused) => new FakeBraze({ refused }),
        membersIn: ({ body }) => attributesOf(body).length,
      },
    },
    `${membership} attributes`,
  );
}

describe('the Braze output', () => {
  it('sets an attribute of known users only, with the key in the header', async () => {
    const { requests, ctx } = await rig({}, {});
    await braze.audience.add(ctx, audience, batchOf([member(0)]));
    expect(requests[0]).toMatchObject({
      method: 'POST',
      url: '/users/track',
      headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    });
    expect(requests.map(({ body }) => attributesOf(body))).toEqual([
      [{ external_id: 'customer-0', _update_existing_only: true, Spring: true }],
    ]);
  });

  it.each([
    [{}, { Spring: false }],
    [{ onRemove: 'unset' as const }, { Spring: null }],
    [{ membership: 'array' as const }, { audiences: { remove: ['Spring'] } }],
    [{ membership: 'array' as const, arrayAttribute: 'hub' }, { hub: { remove: ['Spring'] } }],
  ])('marks who left as %j says, and makes no user of them', async (settings, change) => {
    const { requests, ctx } = await rig({}, { ...settings, createUsers: true });
    await braze.audience.remove?.(ctx, audience, batchOf([member(0)]));
    expect(attributesOf(requests[0]?.body ?? '')).toEqual([
      { external_id: 'customer-0', _update_existing_only: true, ...change },
    ]);
  });

  it('writes shared attributes under their names, but for those of its own and values it would cut', async () => {
    const { requests, ctx } = await rig({}, {});
    const attributes = {
      Party: 'Green',
      Essay: 'x'.repeat(256),
      Spring: 'an attribute named as the audience',
    };
    await braze.audience.add(ctx, audience, batchOf([{ ...member(0), attributes }]));
    expect(attributesOf(requests[0]?.body ?? '')).toEqual([
      { external_id: 'customer-0', _update_existing_only: true, Party: 'Green', Spring: true },
    ]);
    const problem = (name: string, membership: 'boolean' | 'array' = 'boolean') =>
      braze.attributeProblem?.(name, { ...ctx.settings, membership });
    expect([problem('Party'), problem('audiences')]).toEqual([undefined, undefined]);
    expect(problem('Email')).toContain('a field that Braze has of its own');
    expect(problem('audiences', 'array')).toContain('holds the audiences');
  });

  it('finds people in the first way that they can be found, by each of their values', async () => {
    const { requests, ctx } = await rig(
      {},
      { identifyBy: ['user_alias', 'email', 'phone'], aliasLabel: 'crm', createUsers: true },
    );
    const { rejected } = (await braze.audience.add(
      ctx,
      audience,
      batchOf([
        { mpid: '1', identities: { customer_id: ['c-1'], email: ['a@example.com'] } },
        { mpid: '2', identities: { email: ['b@example.com', 'c@example.com'] } },
        { mpid: '3', identities: { phone: ['+12025550101'] } },
        { mpid: '4', identities: {} },
      ]),
    )) as { rejected: unknown };
    const update = { _update_existing_only: false, Spring: true };
    expect(attributesOf(requests[0]?.body ?? '')).toEqual([
      { user_alias: { alias_name: 'c-1', alias_label: 'crm' }, ...update },
      { email: 'b@example.com', ...update },
      { email: 'c@example.com', ...update },
      { phone: '+12025550101', ...update },
    ]);
    expect(rejected).toEqual([expect.objectContaining({ index: 3, code: 'NO_IDENTIFIER' })]);
  });

  it('writes address and number to profiles where it is told to, and never a subscription', async () => {
    const { requests, ctx } = await rig(
      {},
      { identifyBy: ['external_id', 'email'], share: ['email', 'phone'] },
    );
    const known = {
      customer_id: ['c-1'],
      email: ['a@example.com', 'b@example.com'],
      phone: ['+12025550101'],
    };
    await braze.audience.add(
      ctx,
      audience,
      batchOf([
        { mpid: '1', identities: known },
        { mpid: '2', identities: { email: ['c@example.com'], phone: ['+12025550102'] } },
      ]),
    );
    expect(attributesOf(requests[0]?.body ?? '')).toEqual([
      {
        external_id: 'c-1',
        email: 'a@example.com',
        phone: '+12025550101',
        _update_existing_only: true,
        Spring: true,
      },
      { email: 'c@example.com', _update_existing_only: true, Spring: true },
    ]);
    expect(requests[0]?.body).not.toContain('subscribe');
    await braze.audience.remove?.(ctx, audience, batchOf([{ mpid: '1', identities: known }]));
    expect(attributesOf(requests[1]?.body ?? '')).toEqual([
      { external_id: 'c-1', _update_existing_only: true, Spring: false },
    ]);
  });

  it('cuts people with several addresses into requests of 75 objects, and names who was refused', async () => {
    const { requests, ctx } = await rig({ refused: [0] }, { identifyBy: ['email'] });
    const members = Array.from({ length: 75 }, (_, index) => ({
      mpid: String(index),
      identities: { email: [`p${index}@example.com`, `q${index}@example.com`] },
    }));
    const result = await braze.audience.add(ctx, audience, batchOf(members));
    expect(requests.map(({ body }) => attributesOf(body).length)).toEqual([75, 75]);
    // The first object of the second request is the second address of member 37.
    expect(result).toMatchObject({ rejected: [{ index: 0, code: 'REFUSED' }, { index: 37 }] });
  });

  it('lets the batch be taken apart where Braze does not say whom it refused', async () => {
    const { partner, ctx } = await rig({ mute: ({ external_id: id }) => id === 'customer-1' }, {});
    const refused = { kind: 'permanent', code: 'PARTLY_REFUSED' };
    await expect(braze.audience.add(ctx, audience, batchOf([member(0), member(1)]))).rejects.toMatchObject(
      refused,
    );
    await expect(braze.audience.add(ctx, audience, batchOf([member(1)]))).rejects.toMatchObject(refused);
    await expect(braze.audience.add(ctx, audience, batchOf([member(0)]))).resolves.toMatchObject({
      rejected: [],
    });
    expect(partner.state()).toEqual([['"customer-0"', { Spring: true }]]);
  });

  it('waits until the limit starts anew', async () => {
    const { server, ctx } = await rig({}, {});
    const resetAt = ctx.now().getTime() / 1000 + 42;
    server.failure = () => ({ status: 429, headers: { 'x-ratelimit-reset': String(resetAt) } });
    const call = () => braze.audience.add(ctx, audience, batchOf([member(0)]));
    await expect(call()).rejects.toMatchObject({ kind: 'rate_limited', retryAfterMs: 42_000 });
    server.failure = () => ({ status: 429, headers: { 'x-ratelimit-reset': String(resetAt + 1e9) } });
    await expect(call()).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    server.failure = () => ({ status: 429, headers: { 'x-ratelimit-reset': 'soon' } });
    await expect(call()).rejects.toMatchObject({ kind: 'rate_limited', retryAfterMs: undefined });
  });

  it.each([
    ['{"message":"success","errors":[{"type":"x","input_array":"attributes","index":9}]}', 'PARTLY_REFUSED'],
    ['{"message":"success","errors":[{"type":"x","input_array":"events","index":0}]}', 'PARTLY_REFUSED'],
    ['{"message":"queued"}', 'MALFORMED_RESPONSE'],
    ['[]', 'MALFORMED_RESPONSE'],
  ])('does not guess what %s means', async (body, code) => {
    const { server, ctx } = await rig({}, {});
    server.failure = () => ({ status: 201, body });
    await expect(braze.audience.add(ctx, audience, batchOf([member(0)]))).rejects.toMatchObject({ code });
  });

  it('does not repeat what Braze quotes', async () => {
    const { server, ctx } = await rig({}, {});
    for (const type of ['ada@example.com is not valid', 'no user with phone 12025550101']) {
      const errors = [{ type, input_array: 'attributes', index: 0 }];
      server.failure = () => ({ status: 201, body: JSON.stringify({ message: 'success', errors }) });
      await expect(braze.audience.add(ctx, audience, batchOf([member(0)]))).resolves.toMatchObject({
        rejected: [{ index: 0, message: 'Braze did not take the user’s attributes.' }],
      });
    }
  });

  it('checks the permission without making or changing anybody', async () => {
    const { partner, ctx } = await rig({ apiKey: 'right', known: [] }, {}, 'right');
    await expect(braze.check(ctx)).resolves.toBeUndefined();
    expect(partner.users.size).toBe(0);
    const wrong = { ...ctx, credentials: { apiKey: 'wrong' } };
    await expect(braze.check(wrong)).rejects.toMatchObject({ kind: 'auth', code: 'HTTP_401' });
  });

  it('fixes the name of the attribute when the connection is made', async () => {
    const { ctx } = await rig({}, {});
    await expect(braze.audience.create?.(ctx, { name: 'Spring' })).resolves.toEqual({ externalId: 'Spring' });
    const named = { ...ctx, connection: { name: 'vip' } };
    await expect(braze.audience.create?.(named, { name: 'Spring' })).resolves.toEqual({ externalId: 'vip' });
  });

  it.each(['email', 'Email', 'push_subscribe', 'external_id', '$set', '_update_existing_only', ' x', ''])(
    'never takes "%s" for the name of an attribute, which it would overwrite',
    async (name) => {
      const { ctx } = await rig({}, {});
      await expect(braze.audience.create?.(ctx, { name })).rejects.toMatchObject({
        kind: 'config',
        code: 'NAME_REFUSED',
      });
      expect(braze.connectionSettings.safeParse({ name }).success).toBe(false);
    },
  );

  it('takes identities and limits from its settings', () => {
    const parse = (more: object) =>
      braze.settings.parse({ endpoint: 'https://rest.iad-01.braze.com', ...more });
    const types = (more: object) => identitiesOf(braze, parse(more)).map(({ type }) => type);
    expect(types({})).toEqual(['customer_id']);
    expect(types({ identifyBy: ['external_id', 'email'], share: ['phone'] })).toEqual([
      'customer_id',
      'email',
      'phone',
    ]);
    expect(limitsOf(braze, parse({ requestsPerSecond: 5 })).rateLimit).toEqual({
      requests: 5,
      perSeconds: 1,
    });
  });

  it('sends the key to Braze only', () => {
    const accepts = (endpoint: string) => braze.settings.safeParse({ endpoint }).success;
    expect(accepts('https://rest.fra-01.braze.eu')).toBe(true);
    expect(accepts('https://rest.us-10.braze.com')).toBe(true);
    for (const other of [
      'https://rest.iad-01.braze.com.example.com',
      'http://rest.iad-01.braze.com',
      'https://x',
    ]) {
      expect(accepts(other)).toBe(false);
    }
  });
});

const servers: PartnerServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function rig(
  options: FakeBrazeOptions,
  settings: Partial<z.input<typeof braze.settings>>,
  apiKey = 'secret',
) {
  const partner = new FakeBraze(options);
  const server = await PartnerServer.start(partner);
  servers.push(server);
  const ctx: Parameters<typeof braze.audience.add>[0] = {
    settings: braze.settings.parse({ endpoint: server.url, ...settings }),
    credentials: { apiKey },
    connection: {},
    ...testReach(),
  };
  return { partner, server, requests: server.requests, ctx };
}
