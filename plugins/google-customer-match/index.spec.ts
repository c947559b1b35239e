import { afterEach, describe, expect, it } from '@jest/globals';
import { identitiesOf, limitsOf } from '../../src/kit/index.js';
import { describeOutput } from '../../src/kit/testing/index.js';
import { googleCustomerMatch as google } from './index.js';
import { refusal } from './testing/answers.js';
import { ACCOUNT, FakeGoogle } from './testing/fake-google.js';
import {
  batchOf,
  hash,
  keyFile,
  listIn,
  look,
  member,
  members,
  sentIn,
  settingsAt,
  startGoogle,
  stopServers,
} from './testing/google-rig.js';

afterEach(stopServers);

for (const [title, credentials] of [
  ['with a service account', (canary: string) => ({ serviceAccountKey: keyFile(canary) })],
  [
    'with a user',
    (canary: string) => ({
      clientId: `${canary}-id`,
      clientSecret: `${canary}-secret`,
      refreshToken: `${canary}-refresh`,
    }),
  ],
] as const) {
  describeOutput(
    google,
    {
      settings: settingsAt,
      credentials,
      connection: { description: 'People who bought in spring' },
      member,
      http: {
        partner: () => new FakeGoogle({ looks: 2 }),
        membersIn: ({ url, body }) =>
          url.includes('/audienceMembers:') && sentIn(body).validateOnly !== true
            ? (sentIn(body).audienceMembers?.length ?? 0)
            : 0,
      },
    },
    title,
  );
}

describe('the Google output', () => {
  it('sends hashes by identifier, with consent and terms, and nothing else', async () => {
    const { requests, ctx } = await startGoogle(
      { login: '99' },
      { loginAccountId: '9-9', adUserData: 'granted', adPersonalization: 'denied' },
    );
    const listId = await listIn(ctx);
    await google.audience.add(ctx, listId, batchOf([member(0)]));
    expect(requests.at(-1)).toMatchObject({
      method: 'POST',
      url: '/v1/audienceMembers:ingest',
      headers: { authorization: 'Bearer token', 'login-account': 'accountTypes/GOOGLE_ADS/accounts/99' },
    });
    expect(sentIn(requests.at(-1)?.body ?? '')).toEqual({
      audienceMembers: [
        {
          userData: {
            userIdentifiers: [
              { emailAddress: hash('e0') },
              { phoneNumber: hash('p0') },
              {
                address: {
                  givenName: hash('ann0'),
                  familyName: hash('lee'),
                  regionCode: 'US',
                  postalCode: '10001',
                },
              },
            ],
          },
        },
      ],
      destinations: [
        {
          operatingAccount: { accountType: 'GOOGLE_ADS', accountId: ACCOUNT },
          loginAccount: { accountType: 'GOOGLE_ADS', accountId: '99' },
          productDestinationId: listId.externalId,
        },
      ],
      encoding: 'HEX',
      consent: { adUserData: 'CONSENT_GRANTED', adPersonalization: 'CONSENT_DENIED' },
      termsOfService: { customerMatchTermsOfServiceStatus: 'ACCEPTED' },
    });
    await google.audience.remove?.(ctx, listId, batchOf([member(0)]));
    expect(requests.at(-1)?.url).toBe('/v1/audienceMembers:remove');
    expect(Object.keys(sentIn(requests.at(-1)?.body ?? '')).sort()).toEqual([
      'audienceMembers',
      'destinations',
      'encoding',
    ]);
  });

  it('says nothing of consent that nobody settled, and takes only what the settings name', async () => {
    const { requests, ctx } = await startGoogle();
    await google.audience.add(ctx, await listIn(ctx), batchOf([member(0)]));
    expect(sentIn(requests.at(-1)?.body ?? '')).not.toHaveProperty('consent');
    const settings = google.settings.parse({ ...settingsAt('http://127.0.0.1:1'), identifiers: ['name'] });
    expect(identitiesOf(google, settings)).toEqual([
      { type: 'first_last_zip_state', encoding: 'sha256', profile: 'google@2025-06' },
    ]);
    expect(limitsOf(google, settings)).toMatchObject({
      batchSize: 10_000,
      rateLimit: { requests: 300, perSeconds: 60 },
    });
    const connection = google.connectionSettings.parse({ membershipDays: 2 });
    expect(google.expireAfterMs?.(settings, connection)).toBe(172_800_000);
  });

  it('sends a person with more than ten identifiers as several members, and a full batch then as two requests', async () => {
    const { partner, requests, ctx } = await startGoogle({ looks: 1 });
    const list = await listIn(ctx);
    const many = Array.from({ length: 23 }, (_, index) => hash(`m${index}`));
    const result = await google.audience.add(
      ctx,
      list,
      batchOf([...members(9999), { mpid: '7', identities: { email: many } }]),
    );
    const sizes = requests
      .filter(({ url }) => url.endsWith(':ingest'))
      .map(({ body }) => sentIn(body).audienceMembers?.length);
    expect(sizes).toEqual([10_000, 2]);
    // Either is looked at, and the outcome is that of both.
    const [first, second, third] = [result, await look(ctx, result), await look(ctx, result)];
    expect([first.status, second.status, third.status]).toEqual(['pending', 'pending', 'pending']);
    await expect(look(ctx, result)).resolves.toEqual({ status: 'done', rejected: [] });
    expect(partner.membersOf(list.externalId)).toHaveLength(10_002);
    await google.audience.remove?.(ctx, list, batchOf([{ mpid: '7', identities: { email: many } }]));
    partner.uploads.at(-1)?.request.audienceMembers?.forEach(({ userData }) => {
      expect(userData?.userIdentifiers?.length).toBeLessThanOrEqual(10);
    });
  });

  it('asks for another access token once where one is refused', async () => {
    const { server, requests, ctx } = await startGoogle();
    const list = await listIn(ctx);
    const asked: (string | undefined)[] = [];
    const tokens = ['old', 'new'];
    const renewing = {
      ...ctx,
      accessToken: (refused?: string) => {
        asked.push(refused);
        return Promise.resolve(tokens[asked.length - 1] ?? 'none');
      },
    };
    server.failure = ({ headers }) =>
      headers.authorization === 'Bearer old'
        ? refusal('UNAUTHENTICATED')
        : { status: 200, body: '{"requestId":"r"}' };
    await expect(google.audience.add(renewing, list, batchOf([member(0)]))).resolves.toMatchObject({
      status: 'pending',
    });
    expect(asked).toEqual([undefined, 'old']);
    expect(requests.slice(-2).map(({ headers }) => headers.authorization)).toEqual([
      'Bearer old',
      'Bearer new',
    ]);
  });

  it('goes to Google only, whatever the settings and the key file say', () => {
    const takes = (change: object) =>
      google.settings.safeParse({ operatingAccountId: '1', termsAccepted: true, ...change }).success;
    expect(takes({})).toBe(true);
    expect(takes({ endpoint: 'https://datamanager.googleapis.com' })).toBe(true);
    expect(takes({ endpoint: 'https://datamanager.googleapis.com.example.com' })).toBe(false);
    expect(takes({ endpoint: 'http://datamanager.googleapis.com' })).toBe(false);
    expect(takes({ oauthEndpoint: 'https://example.com/token' })).toBe(false);
    const settings = google.settings.parse({ operatingAccountId: '1', termsAccepted: true });
    const key = { ...JSON.parse(keyFile('pem')), token_uri: 'https://example.com/token' } as object;
    expect(google.oauth2?.(settings, { serviceAccountKey: JSON.stringify(key) })).toMatchObject({
      grant: 'jwt_bearer',
      tokenUrl: 'https://oauth2.googleapis.com/token',
      scope: 'https://www.googleapis.com/auth/datamanager',
    });
  });

  it.each([
    [{ termsAccepted: false }, /must be true: accept the terms/],
    [{ operatingAccountId: 'abc' }, /digits, such as 123-456-7890/],
    [{ statusAfterSeconds: 0 }, /statusAfterSeconds/],
    [{ adUserData: 'yes' }, /adUserData/],
  ])('refuses the settings %j', (change, expected) => {
    const parsed = google.settings.safeParse({ operatingAccountId: '1', termsAccepted: true, ...change });
    expect(JSON.stringify(parsed.error?.issues)).toMatch(expected);
  });

  it.each([
    [{}, /give it, or clientId/],
    [{ clientId: 'a', clientSecret: 'b' }, /give it, or clientId/],
    [{ serviceAccountKey: '{"type":"authorized_user"}' }, /must be a JSON key file/],
    [{ serviceAccountKey: keyFile('pem'), refreshToken: 'r' }, /give either it/],
  ])('refuses the credentials %j', (credentials, expected) => {
    expect(JSON.stringify(google.credentials.safeParse(credentials).error?.issues)).toMatch(expected);
  });
});
