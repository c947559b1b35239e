import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { batchFrom, identitiesOf, limitsOf, type OutputMember } from '../../src/kit/index.js';
import { describeOutput, PartnerServer, testReach } from '../../src/kit/testing/index.js';
import { ACCOUNT, FakeMeta, type FakeMetaOptions, refusal } from './fake-meta.js';
import { metaCustomAudiences as meta } from './index.js';
import type { MetaIdentity } from './rows.js';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const name = (index: number) => [`ann${index}`, 'lee', '10001', 'ny'].map((part) => hash(part)).join('|');
const member = (index: number): OutputMember<MetaIdentity> => ({
  mpid: String(1000 + index),
  identities: { email: [hash(`e${index}`)], phone: [hash(`p${index}`)], first_last_zip_state: [name(index)] },
});
const audience = { externalId: '23850000000000000', name: 'Spring' };
const batchOf = (members: OutputMember<MetaIdentity>[]) =>
  batchFrom({ id: 'b1', members, fromVersion: 0, toVersion: 1 });
interface Sent {
  session?: Record<string, unknown>;
  payload: { schema: string[]; data: string[][] };
}
const sentIn = (body: string) => JSON.parse(body) as Sent;

for (const mode of ['changes', 'replace'] as const) {
  describeOutput(
    meta,
    {
      settings: (url) => ({ adAccountId: ACCOUNT, endpoint: url, mode }),
      credentials: (canary) => ({ accessToken: canary, appSecret: `${canary}-app` }),
      connection: { lookalikeCountry: 'US' },
      member,
      http: {
        partner: () => new FakeMeta(),
        partnerRejecting: (invalid) => new FakeMeta({ invalid }),
        // The batch that closes a replacement holds nobody.
        membersIn: ({ url, body }) =>
          url.includes('/users') && sentIn(body).session?.last_batch_flag !== true
            ? sentIn(body).payload.data.length
            : 0,
      },
    },
    `by ${mode}`,
  );
}

describe('the Meta output', () => {
  it('sends hashes by key, several values of a person as several rows, and nothing else', async () => {
    const { requests, ctx } = await rig({}, { identifiers: ['customer_id', 'email', 'phone', 'name'] });
    await meta.audience.create?.(ctx, audience);
    const both = { ...member(0).identities, email: [hash('e0'), hash('e1')], customer_id: [hash('c0')] };
    await meta.audience.add(ctx, audience, batchOf([{ mpid: '7', identities: both }]));
    expect(sentIn(requests.at(-1)?.body ?? '').payload).toEqual({
      schema: ['EMAIL', 'PHONE', 'FN', 'LN', 'ZIP', 'ST', 'COUNTRY', 'EXTERN_ID'],
      is_raw: true,
      data: [
        [hash('e0'), hash('p0'), ...name(0).split('|'), hash('us'), hash('c0')],
        [hash('e1'), '', '', '', '', '', '', ''],
      ],
    });
    expect(requests.at(-1)).toMatchObject({
      method: 'POST',
      url: '/v25.0/23850000000000000/users',
      headers: { authorization: 'Bearer token' },
    });
  });

  it('takes only what the settings name, by the profile of Meta', () => {
    const settings = meta.settings.parse({ adAccountId: '1', identifiers: ['phone'] });
    expect(identitiesOf(meta, settings)).toEqual([
      { type: 'phone', encoding: 'sha256', profile: 'meta@2024-07' },
    ]);
    expect(limitsOf(meta, settings)).toEqual({ batchSize: 10_000, concurrency: 2, ahead: true });
    expect(limitsOf(meta, meta.settings.parse({ adAccountId: '1', mode: 'replace' }))).toEqual({
      batchSize: 2500,
    });
  });

  it('cuts a batch whose people have many values into requests of 10,000 rows', async () => {
    const { partner, requests, ctx } = await rig({});
    await meta.audience.create?.(ctx, audience);
    const members = Array.from({ length: 6000 }, (_, index) => ({
      mpid: String(index),
      identities: { email: [hash(`a${index}`), hash(`b${index}`)] },
    }));
    await meta.audience.add(ctx, audience, batchOf(members));
    const sizes = requests
      .filter(({ url }) => url.includes('/users'))
      .map(({ body }) => sentIn(body).payload.data.length);
    expect(sizes).toEqual([10_000, 2000]);
    await expect(meta.audience.count?.(ctx, audience)).resolves.toBe(12_000);
    expect(partner.audiences.size).toBe(1);
  });

  it('names whose values are invalid, and has the rest halved where Meta does not say', async () => {
    const named = await rig({ invalid: [1] });
    await meta.audience.create?.(named.ctx, audience);
    await expect(
      meta.audience.add(named.ctx, audience, batchOf([member(0), member(1), member(2)])),
    ).resolves.toMatchObject({ rejected: [{ index: 1, code: 'INVALID_ENTRY' }] });
    const mute = await rig({ invalid: [1], mute: true });
    await meta.audience.create?.(mute.ctx, audience);
    await expect(
      meta.audience.add(mute.ctx, audience, batchOf([member(0), member(1), member(2)])),
    ).rejects.toMatchObject({ kind: 'permanent', code: 'PARTLY_INVALID' });
    const alone = await rig({ invalid: [1], mute: true });
    await meta.audience.create?.(alone.ctx, audience);
    const two = { mpid: '1', identities: { email: [hash('a'), hash('b')] } };
    await expect(meta.audience.add(alone.ctx, audience, batchOf([two]))).resolves.toMatchObject({
      rejected: [{ index: 0, code: 'INVALID_ENTRY' }],
    });
  });

  it('replaces the list in one session, numbered from 1, whose last batch holds nobody', async () => {
    const { partner, requests, ctx } = await rig({}, { mode: 'replace' });
    await meta.audience.create?.(ctx, audience);
    await meta.audience.add(ctx, audience, batchOf([member(8), member(9)]));
    await meta.audience.replace?.write(ctx, audience, batchOf([member(0)]), 0);
    await meta.audience.replace?.write(ctx, audience, batchOf([member(1)]), 1);
    await meta.audience.replace?.finish(ctx, audience, { toVersion: 2, parts: 2, members: 2 });
    const sessions = requests
      .filter(({ url }) => url.endsWith('/usersreplace'))
      .map(({ body }) => sentIn(body).session);
    expect(sessions).toEqual([
      { session_id: '1', batch_seq: 1, last_batch_flag: false },
      { session_id: '1', batch_seq: 2, last_batch_flag: false },
      { session_id: '1', batch_seq: 3, last_batch_flag: true, estimated_num_total: 3 },
    ]);
    expect(partner.audiences.get(audience.externalId)?.rows.size).toBe(2);
    // An audience that lost everybody is an empty list.
    const again = { ...ctx, runId: 'run-2' };
    await meta.audience.replace?.finish(again, audience, { toVersion: 3, parts: 0, members: 0 });
    expect(partner.audiences.get(audience.externalId)?.rows.size).toBe(0);
  });

  it('finds the audience again that a try before it made, and not that of another connection', async () => {
    const { ctx } = await rig({});
    const first = await meta.audience.create?.(ctx, { name: 'Spring' });
    await expect(meta.audience.create?.(ctx, { name: 'Spring' })).resolves.toEqual(first);
    const other = await meta.audience.create?.({ ...ctx, connectionId: 'c2' }, { name: 'Spring' });
    expect(other).not.toEqual(first);
  });

  it('makes one lookalike once the list is large enough', async () => {
    const { partner, ctx } = await rig({}, {}, { lookalikeCountry: 'US', lookalikeRatio: 0.02 });
    await meta.audience.create?.(ctx, audience);
    await meta.audience.add(ctx, audience, batchOf([member(0)]));
    await meta.audience.delivered?.(ctx, audience);
    expect(partner.audiences.size).toBe(1);
    await meta.audience.add(ctx, audience, batchOf(Array.from({ length: 100 }, (_, index) => member(index))));
    await meta.audience.delivered?.(ctx, audience);
    await meta.audience.delivered?.(ctx, audience);
    expect([...partner.audiences.values()].slice(1)).toMatchObject([
      { name: 'Lookalike (US, 2%) - Spring', spec: { type: 'custom_ratio', ratio: 0.02, country: 'US' } },
    ]);
  });

  it('deletes the audience, and is content with one that is gone', async () => {
    const { partner, ctx } = await rig({});
    await meta.audience.create?.(ctx, audience);
    await meta.audience.delete?.(ctx, audience);
    await meta.audience.delete?.(ctx, audience);
    expect(partner.audiences.size).toBe(0);
    await expect(meta.audience.add(ctx, audience, batchOf([member(0)]))).rejects.toMatchObject({
      kind: 'config',
      code: 'LIST_GONE',
    });
  });

  it('proves the app’s secret with every request, and says what a check finds', async () => {
    const { ctx } = await rig({ appSecret: 'app-secret' });
    await expect(meta.check(ctx)).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    const proven = { ...ctx, credentials: { accessToken: 'token', appSecret: 'app-secret' } };
    await expect(meta.check(proven)).resolves.toBeUndefined();
    await expect(meta.audience.create?.(proven, audience)).resolves.toEqual({
      externalId: audience.externalId,
    });
    for (const [options, code] of [
      [{ tosAccepted: false }, 'TERMS_NOT_ACCEPTED'],
      [{ accountStatus: 2 }, 'ACCOUNT_INACTIVE'],
      [{ accessToken: 'another' }, 'TOKEN_INVALID'],
    ] as const) {
      await expect(meta.check((await rig(options)).ctx)).rejects.toMatchObject({ code });
    }
    const stranger = await rig({}, { adAccountId: '5' });
    await expect(meta.check(stranger.ctx)).rejects.toMatchObject({ kind: 'auth', code: 'PERMISSION_DENIED' });
  });

  const buc = (minutes: number) => ({
    'x-business-use-case-usage': JSON.stringify({
      '1': [{ type: 'custom_audience', call_count: 100, estimated_time_to_regain_access: minutes }],
    }),
  });

  it.each([
    [400, 190, 463, {}, { kind: 'auth', code: 'TOKEN_INVALID' }],
    [403, 200, undefined, {}, { kind: 'auth', code: 'PERMISSION_DENIED' }],
    [400, 294, undefined, {}, { kind: 'auth', code: 'PERMISSION_DENIED' }],
    [400, 80_003, undefined, buc(3), { kind: 'rate_limited', code: 'RATE_LIMITED', retryAfterMs: 180_000 }],
    [400, 17, 2_446_079, { 'x-ad-account-usage': '{"reset_time_duration":60}' }, { retryAfterMs: 60_000 }],
    [400, 4, 1_504_022, {}, { kind: 'rate_limited', retryAfterMs: undefined }],
    [500, 2, undefined, {}, { kind: 'retryable', code: 'META_FAILED' }],
    [400, 2650, undefined, {}, { kind: 'config', code: 'AUDIENCE_NOT_UPDATABLE' }],
    [400, 2650, 1_870_145, {}, { kind: 'retryable', code: 'AUDIENCE_BUSY' }],
    [400, 100, 1_713_230, {}, { kind: 'config', code: 'AUDIENCE_BLOCKED' }],
    [400, 100, 33, {}, { kind: 'config', code: 'LIST_GONE' }],
    [404, 803, undefined, {}, { kind: 'retryable', code: 'AUDIENCE_NOT_READY' }],
    [400, 100, undefined, {}, { kind: 'permanent', code: 'INVALID_PARAMETER' }],
    [200, 190, undefined, {}, { kind: 'auth' }],
    [400, 424_242, undefined, {}, { kind: 'permanent', code: 'META_424242' }],
  ])('status %i with error %i/%s is the right fault', async (status, code, subcode, headers, expected) => {
    const { server, ctx } = await rig({});
    server.failure = () => refusal(status, code, subcode, 'ann@example.com is wrong', headers);
    const failed = meta.audience.add(ctx, audience, batchOf([member(0)]));
    await expect(failed).rejects.toMatchObject(expected);
    await expect(failed).rejects.not.toThrow(/ann@/);
  });

  it('goes to Meta only, whatever the settings say', () => {
    const takes = (endpoint: string) => meta.settings.safeParse({ adAccountId: '1', endpoint }).success;
    expect(takes('https://graph.facebook.com')).toBe(true);
    expect(takes('https://graph.facebook.com.example.com')).toBe(false);
    expect(takes('http://graph.facebook.com')).toBe(false);
  });

  const servers: PartnerServer[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  async function rig(
    options: FakeMetaOptions,
    settings: Partial<z.input<typeof meta.settings>> = {},
    connection: z.input<typeof meta.connectionSettings> = {},
  ) {
    const partner = new FakeMeta(options);
    const server = await PartnerServer.start(partner);
    servers.push(server);
    return {
      partner,
      server,
      requests: server.requests,
      ctx: {
        settings: meta.settings.parse({ adAccountId: ACCOUNT, endpoint: server.url, ...settings }),
        credentials: meta.credentials.parse({ accessToken: 'token' }),
        connection: meta.connectionSettings.parse(connection),
        ...testReach(),
        now: () => new Date(),
      },
    };
  }
});
