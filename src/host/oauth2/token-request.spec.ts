import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { OAuth2Grant } from '../../kit/index.js';
import { PartnerServer, type PartnerAnswer } from '../../kit/testing/index.js';
import { EgressClient, EgressGuard } from '../../platform/http/index.js';
import { requestTokens } from './token-request.js';

const now = new Date('2030-01-01T00:00:00.750Z');
const client = new EgressClient({ guard: new EgressGuard({ allowPrivate: true }) });
const http = client.bound(new AbortController().signal);

let answer: PartnerAnswer;
let server: PartnerServer;
beforeAll(async () => {
  server = await PartnerServer.start({ answer: () => answer, state: () => undefined });
});
afterEach(() => {
  server.requests.splice(0);
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

/** What the endpoint's answer comes to. */
function told(body: object | string, status = 200, headers: Record<string, string> = {}, grant = {}) {
  answer = { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const base = { grant: 'refresh_token', tokenUrl: server.url, clientId: 'c', clientSecret: 's' };
  return requestTokens(http, { ...base, refreshToken: 'refresh-0', ...grant } as OAuth2Grant, now);
}

const refused = { kind: 'auth', code: 'OAUTH_REFUSED' };
const failed = { kind: 'retryable', code: 'OAUTH_FAILED' };
const malformed = { kind: 'retryable', code: 'MALFORMED_RESPONSE' };

describe('what a token endpoint gives', () => {
  it.each([
    ['for as long as it says', { expires_in: 90 }, '2030-01-01T00:01:30.750Z'],
    ['for as long as it says in a text', { expires_in: '90' }, '2030-01-01T00:01:30.750Z'],
    ['for an hour where it does not say', {}, '2030-01-01T01:00:00.750Z'],
  ])('holds %s', async (_, more, expiresAt) => {
    const given = await told({ access_token: 'access-1', ...more });
    expect(given).toEqual({ accessToken: 'access-1', expiresAt: new Date(expiresAt) });
    expect(given).not.toHaveProperty('refreshToken');
  });

  it('may be another refresh token, and come with any status that means success', async () => {
    const given = await told({ access_token: 'access-1', refresh_token: 'refresh-1' }, 299);
    expect(given).toMatchObject({ accessToken: 'access-1', refreshToken: 'refresh-1' });
  });

  it.each([
    ['no access token', {}],
    ['an empty one', { access_token: '' }],
    ['a duration that is over', { access_token: 'access-1', expires_in: 0 }],
    ['an empty refresh token', { access_token: 'access-1', refresh_token: '' }],
  ])('is nothing with %s', async (_, body) => {
    await expect(told(body)).rejects.toMatchObject(malformed);
  });
});

describe('what a token endpoint is asked', () => {
  const formOf = (index: number) => Object.fromEntries(new URLSearchParams(server.requests[index]?.body));

  it('says the scope where there is one, and the refresh token only with that grant', async () => {
    await told({ access_token: 'a' }, 200, {}, { scope: 'lists' });
    await told({ access_token: 'a' }, 200, {}, { grant: 'client_credentials' });
    const own = { client_id: 'c', client_secret: 's' };
    expect(formOf(0)).toEqual({
      ...own,
      grant_type: 'refresh_token',
      refresh_token: 'refresh-0',
      scope: 'lists',
    });
    expect(formOf(1)).toEqual({ ...own, grant_type: 'client_credentials' });
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    });
  });

  it('is an assertion of whole seconds that names its key where there are several', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const account = { grant: 'jwt_bearer', issuer: 'hub@example.com', privateKey: pem };
    await told({ access_token: 'a' }, 200, {}, account);
    await told({ access_token: 'a' }, 200, {}, { ...account, keyId: 'key-1' });
    const parts = [0, 1].map((index) =>
      String(formOf(index).assertion)
        .split('.')
        .slice(0, 2)
        .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown),
    );
    const claims = {
      iss: 'hub@example.com',
      aud: server.url,
      iat: Date.parse('2030-01-01T00:00:00Z') / 1000,
      exp: Date.parse('2030-01-01T01:00:00Z') / 1000,
    };
    expect(parts).toEqual([
      [{ alg: 'RS256', typ: 'JWT' }, claims],
      [{ alg: 'RS256', typ: 'JWT', kid: 'key-1' }, claims],
    ]);
    expect(formOf(0).grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
  });
});

describe('a token endpoint that gives nothing', () => {
  it.each([
    [400, {}, refused],
    [400, { error: 'invalid_scope' }, refused],
    [400, { error: 'slow_down' }, failed],
    [401, {}, refused],
    [401, { error: 'slow_down' }, refused],
    [404, 'no such page', refused],
    [408, {}, failed],
    [408, { error: 'invalid_grant' }, refused],
    [500, { error: 'invalid_grant' }, failed],
    [500, {}, failed],
    [300, { access_token: 'access-1' }, refused],
  ])('with status %d and %j', async (status, body, problem) => {
    await expect(told(body, status)).rejects.toMatchObject(problem);
  });

  it('is asked again after the pause that it wants', async () => {
    const pause = { 'retry-after': '7' };
    await expect(told({ error: 'invalid_grant' }, 429, pause)).rejects.toMatchObject({
      kind: 'rate_limited',
      code: 'OAUTH_LIMITED',
      retryAfterMs: 7000,
    });
    await expect(told({}, 503, pause)).rejects.toMatchObject({ ...failed, retryAfterMs: 7000 });
  });

  it.each(['Ann@example.com', 'invalid_grant of ann', '', 'a'.repeat(41)])(
    'is quoted only where it is a code, not: %s',
    async (error) => {
      await expect(told({ error }, 400)).rejects.toThrow(/^The token endpoint answered 400: the grant/);
      await expect(told({ error }, 400)).rejects.toMatchObject(refused);
    },
  );

  it('is quoted with a long code', async () => {
    const error = 'a'.repeat(40);
    await expect(told({ error }, 401)).rejects.toThrow(
      `The token endpoint answered 401 (${error}): the grant`,
    );
  });
});
