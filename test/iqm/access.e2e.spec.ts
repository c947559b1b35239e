import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import { accessTokens, apiClients, users, type Database } from '../../src/platform/database/index.js';
import { DATABASE } from '../../src/platform/nest/index.js';
import { startTestHub, type TestHub } from '../support/hub.js';
import {
  basic,
  iqmCall,
  logIn,
  logInAnswer,
  makeIqmAccount,
  type IqmAccount,
  forgetRequests,
} from '../support/iqm.js';

const COLUMN_LIST = '/api/v3/audience/static/matched/column-list';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let hub: TestHub;
let account: IqmAccount;

const database = (): Database => hub.hub.app.get<Database>(DATABASE);
const columnList = (headers: Record<string, string>) => iqmCall(hub.url, 'POST', COLUMN_LIST, headers);
/** Counts are per caller: what other tests used up is given back. */
const freshMinute = () => forgetRequests(hub);

beforeAll(async () => {
  hub = await startTestHub();
  account = await makeIqmAccount(hub);
}, 120_000);

afterAll(async () => {
  await hub?.stop();
});

describe('logging in', () => {
  it('answers as the quickstart says, with tokens that open the API', async () => {
    const { status, body } = await logInAnswer(hub.url, account);
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      data: {
        access_token: expect.stringMatching(UUID),
        refresh_token: expect.stringMatching(UUID),
        scope: 'read write',
        token_type: 'bearer',
        expires_in: 24 * 3600 - 1,
        owId: account.owId,
      },
    });
    const headers = {
      authorization: `Bearer ${body.data.access_token}`,
      'x-iaa-ow-id': String(account.owId),
    };
    expect((await columnList(headers)).status).toBe(200);
  });

  it('takes the workspace URL and the e-mail address however they are written', async () => {
    const host = `https://${account.host.toUpperCase()}/login`;
    const email = account.email.toUpperCase();
    const body = { grantType: 'password', email, password: account.password };
    expect((await logInAnswer(hub.url, account, { host, body })).status).toBe(200);
  });

  it.each([
    [
      'the wrong password',
      (a: IqmAccount) => ({ body: { grantType: 'password', email: a.email, password: 'x' } }),
    ],
    [
      'an unknown user',
      (a: IqmAccount) => ({ body: { grantType: 'password', email: 'no@example.com', password: a.password } }),
    ],
    ['an unknown workspace', () => ({ host: 'elsewhere.example.com' })],
    ['no host at all in the header', () => ({ host: '???' })],
  ])('is refused with 403 for %s', async (_, changed) => {
    const answer = await logInAnswer(hub.url, account, changed(account));
    expect(answer).toMatchObject({
      status: 403,
      body: {
        success: false,
        errorObjects: [{ error: "User doesn't exist or user is not allowed to provided workspace." }],
      },
    });
    expect(Object.keys(answer.body)).toEqual(['success', 'errorObjects']);
  });

  it("is refused for another organization's workspace, client and user", async () => {
    const other = await makeIqmAccount(hub);
    expect((await logInAnswer(hub.url, account, { host: other.host })).status).toBe(403);
    const mixed = { ...account, clientId: other.clientId, clientSecret: other.clientSecret };
    expect((await logInAnswer(hub.url, mixed)).status).toBe(403);
    expect((await logInAnswer(hub.url, mixed, { host: other.host })).status).toBe(403);
  });

  it('is refused with 401 for the wrong client secret, and without one', async () => {
    const wrong = await logInAnswer(hub.url, account, { secret: 'not-the-secret' });
    expect(wrong).toMatchObject({
      status: 401,
      body: { success: false, errorObjects: [{ error: expect.any(String) }] },
    });
    const none = await iqmCall(hub.url, 'POST', '/api/v3/ua/login', { 'x-iaa-host': account.host }, {});
    expect(none.status).toBe(401);
  });

  it.each([
    [{}, 'Grant type can not be null.'],
    [{ grantType: 'magic' }, 'Grant type is not supported. Use password or refresh_token.'],
    [{ grantType: 'password' }, 'Email can not be null.'],
    [{ grantType: 'password', email: 'a@example.com', password: 7 }, 'Password can not be null.'],
    [{ grantType: 'refresh_token' }, 'Refresh token can not be null.'],
  ])('says what is missing in %j', async (body, error) => {
    await freshMinute();
    const answer = await logInAnswer(hub.url, account, { body });
    expect(answer).toMatchObject({ status: 400, body: { success: false, errorObjects: [{ error }] } });
  });

  it('answers a body that is no JSON in the envelope', async () => {
    const headers = {
      authorization: basic(account.clientId, account.clientSecret),
      'x-iaa-host': account.host,
      'content-type': 'application/json',
    };
    const answer = await iqmCall(hub.url, 'POST', '/api/v3/ua/login', headers, '{"grantType":');
    expect(answer).toMatchObject({
      status: 400,
      body: { success: false, errorObjects: [{ error: expect.any(String) }] },
    });
  });

  it('tells an account on hold so, and refuses its tokens until the hold is lifted', async () => {
    const held = await makeIqmAccount(hub);
    const headers = await logIn(hub.url, held);
    const hold = {
      reason: 'The particular account is kept on hold due to missed payment dates for last 3 months.',
      supportEmail: 'support@example.com',
    };
    await hub.ok('PUT', `/organizations/${held.organizationId}/hold`, hold);
    expect(await logInAnswer(hub.url, held)).toMatchObject({ status: 400 });
    expect((await logInAnswer(hub.url, held)).body).toEqual({
      success: false,
      data: { status: 'On Hold', ...hold },
      errorObjects: [
        {
          error: 'User is not allowed to access provided customer',
          reason: 'User is not associated with any active organization.',
        },
      ],
    });
    const guess = { grantType: 'password', email: held.email, password: 'a guess' };
    expect((await logInAnswer(hub.url, held, { body: guess })).status).toBe(403);
    expect(await columnList(headers)).toMatchObject({
      status: 400,
      body: { statusCode: 400, responseObject: { errorMsg: hold.reason, errorCode: 400 } },
    });
    await hub.ok('DELETE', `/organizations/${held.organizationId}/hold`);
    expect((await columnList(headers)).status).toBe(200);
  });

  it('is not possible for a user without a password, nor with one that was replaced', async () => {
    const one = await makeIqmAccount(hub);
    const headers = await logIn(hub.url, one);
    await hub.ok('PUT', `/users/${one.userId}/password`, { password: 'another-password' });
    expect((await columnList(headers)).status).toBe(401);
    expect((await logInAnswer(hub.url, one)).status).toBe(403);
    expect((await logInAnswer(hub.url, { ...one, password: 'another-password' })).status).toBe(200);
    await hub.ok('DELETE', `/users/${one.userId}/password`);
    expect((await logInAnswer(hub.url, { ...one, password: 'another-password' })).status).toBe(403);
  });

  it('is not possible by a client that was revoked, which ends its log-ins', async () => {
    const one = await makeIqmAccount(hub);
    const headers = await logIn(hub.url, one);
    const { items } = await hub.ok<{ items: { id: string; clientId: string }[] }>(
      'GET',
      '/api-clients?pageSize=1000',
    );
    const client = items.find(({ clientId }) => clientId === one.clientId);
    await hub.ok('DELETE', `/api-clients/${client?.id}`);
    expect((await columnList(headers)).status).toBe(401);
    expect((await logInAnswer(hub.url, one)).status).toBe(401);
  });
});

describe('an access token', () => {
  it('is refused without, and with the wrong X-IAA-OW-ID', async () => {
    const other = await makeIqmAccount(hub);
    const headers = await logIn(hub.url, other);
    for (const owId of [String(account.owId), '', `${other.owId}0`]) {
      expect(await columnList({ ...headers, 'x-iaa-ow-id': owId })).toMatchObject({
        status: 403,
        body: { statusCode: 403, responseObject: { errorMsg: expect.any(String), errorCode: 403 } },
      });
    }
    expect((await columnList({ authorization: headers.authorization ?? '' })).status).toBe(403);
    expect((await columnList(headers)).status).toBe(200);
  });

  it('is refused where it is none, once it expired, and after the log-out', async () => {
    const one = await makeIqmAccount(hub);
    const unknown = {
      authorization: 'Bearer 106adb25-37b0-4cab-8381-d682fe7cc3c8',
      'x-iaa-ow-id': String(one.owId),
    };
    expect(await columnList(unknown)).toMatchObject({
      status: 401,
      body: { statusCode: 401, responseObject: { errorMsg: expect.any(String), errorCode: 401 } },
    });
    const expired = await logIn(hub.url, one);
    await database()
      .update(accessTokens)
      .set({ accessExpiresAt: sql`now() - interval '1 second'` })
      .where(eq(accessTokens.userId, one.userId));
    expect((await columnList(expired)).status).toBe(401);
    const first = await logIn(hub.url, one);
    const second = await logIn(hub.url, one);
    expect(await iqmCall(hub.url, 'POST', '/api/v3/ua/logout', first)).toMatchObject({
      status: 200,
      body: { success: true, data: 'User logged out successfully.' },
    });
    expect((await columnList(first)).status).toBe(401);
    expect((await columnList(second)).status).toBe(200);
  });

  it('opens what its user may see of /api/v1, and no more', async () => {
    const other = await makeIqmAccount(hub);
    const { authorization = '' } = await logIn(hub.url, other);
    const key = authorization.replace('Bearer ', '');
    expect((await hub.api('GET', `/workspaces/${other.workspaceId}`, undefined, key)).status).toBe(200);
    expect((await hub.api('GET', `/workspaces/${account.workspaceId}`, undefined, key)).status).toBe(404);
    expect((await hub.api('GET', '/api-keys', undefined, key)).status).toBe(403);
  });

  it('is kept as a hash, as are refresh tokens, client secrets and passwords', async () => {
    const { body } = await logInAnswer(hub.url, account);
    const stored = JSON.stringify([
      await database().select().from(accessTokens),
      await database().select().from(apiClients),
      await database().select().from(users),
    ]);
    const { access_token, refresh_token } = body.data;
    for (const secret of [access_token, refresh_token, account.clientSecret, account.password]) {
      expect(stored).not.toContain(secret);
    }
  });
});

describe('a refresh token', () => {
  const refresh = (one: IqmAccount, refreshToken: string) =>
    logInAnswer(hub.url, one, { body: { grantType: 'refresh_token', refreshToken } });

  it('gives new tokens, and ends the old access token', async () => {
    const one = await makeIqmAccount(hub);
    const before = (await logInAnswer(hub.url, one)).body.data;
    const { status, body } = await refresh(one, before.refresh_token);
    expect([status, body.data.owId]).toEqual([200, one.owId]);
    expect(body.data.access_token).not.toBe(before.access_token);
    const headers = (token: string) => ({
      authorization: `Bearer ${token}`,
      'x-iaa-ow-id': String(one.owId),
    });
    expect((await columnList(headers(before.access_token))).status).toBe(401);
    expect((await columnList(headers(body.data.access_token))).status).toBe(200);
  });

  it('is good once: where it comes again, the log-in ends', async () => {
    const one = await makeIqmAccount(hub);
    const before = (await logInAnswer(hub.url, one)).body.data;
    const after = (await refresh(one, before.refresh_token)).body.data;
    expect((await refresh(one, before.refresh_token)).status).toBe(401);
    expect((await refresh(one, after.refresh_token)).status).toBe(401);
    const headers = { authorization: `Bearer ${after.access_token}`, 'x-iaa-ow-id': String(one.owId) };
    expect((await columnList(headers)).status).toBe(401);
  });

  it('opens nothing for another client, nor after the log-out', async () => {
    const one = await makeIqmAccount(hub);
    const { access_token, refresh_token, owId } = (await logInAnswer(hub.url, one)).body.data;
    expect((await refresh(account, refresh_token)).status).toBe(401);
    const headers = { authorization: `Bearer ${access_token}`, 'x-iaa-ow-id': String(owId) };
    await iqmCall(hub.url, 'POST', '/api/v3/ua/logout', headers);
    expect((await refresh(one, refresh_token)).status).toBe(401);
  });
});
