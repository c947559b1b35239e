import { generateKeyPairSync, randomBytes, randomUUID, verify } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  temporaryPglite,
  temporaryPostgres,
  type TemporaryDatabase,
} from '../../../test/support/databases.js';
import { describeWith } from '../../../test/support/services.js';
import { PartnerServer, type PartnerAnswer, type PartnerRequest } from '../../kit/testing/index.js';
import type { OAuth2Grant } from '../../kit/index.js';
import { TestClock } from '../../platform/clock/testing/test-clock.js';
import { SecretBox } from '../../platform/crypto/index.js';
import { organizations, outputs, outputTokens, workspaces } from '../../platform/database/index.js';
import { EgressClient, EgressGuard } from '../../platform/http/index.js';
import { Leases } from '../../platform/lease/index.js';
import { AccessTokens } from './access-tokens.js';

const HOUR_MS = 3_600_000;
const { signal } = new AbortController();

/** A token endpoint that replaces the refresh token every time, and takes each of them once. */
class FakeIssuer {
  requests: URLSearchParams[] = [];
  #valid = 'refresh-0';
  #issued = 0;
  refusal: PartnerAnswer | undefined;

  answer({ body }: PartnerRequest): PartnerAnswer {
    const form = new URLSearchParams(body);
    this.requests.push(form);
    if (this.refusal) return this.refusal;
    if (form.get('grant_type') === 'refresh_token' && form.get('refresh_token') !== this.#valid) {
      return { status: 400, body: '{"error":"invalid_grant","error_description":"of ann@example.com"}' };
    }
    this.#issued += 1;
    this.#valid = `refresh-${this.#issued}`;
    const tokens = { access_token: `access-${this.#issued}`, expires_in: 3600, refresh_token: this.#valid };
    return { status: 200, body: JSON.stringify(tokens) };
  }

  state(): unknown {
    return this.#issued;
  }
}

function tokensSuite(open: () => Promise<TemporaryDatabase>): void {
  let database: TemporaryDatabase;
  let issuer: FakeIssuer;
  let server: PartnerServer;
  let outputId: string;
  const clock = new TestClock('2030-01-01T00:00:00Z');
  const box = new SecretBox(randomBytes(32));
  const client = new EgressClient({ guard: new EgressGuard({ allowPrivate: true }) });
  const http = client.bound(signal);

  beforeAll(async () => {
    database = await open();
  }, 60_000);
  afterAll(async () => {
    await client.close();
    await database?.close();
  });
  beforeEach(async () => {
    issuer = new FakeIssuer();
    server = await PartnerServer.start(issuer);
    const { db } = database;
    const [organization] = await db.insert(organizations).values({ name: 'Example' }).returning();
    const [workspace] = await db
      .insert(workspaces)
      .values({ organizationId: organization?.id ?? '', name: 'Shop', seatId: randomUUID() })
      .returning();
    const row = { workspaceId: workspace?.id ?? '', plugin: 'spec', name: 'Spec', settings: {} };
    outputId = (await db.insert(outputs).values(row).returning())[0]?.id ?? '';
  });
  afterEach(() => server.stop());

  const grant = (): OAuth2Grant => ({
    grant: 'refresh_token',
    tokenUrl: server.url,
    clientId: 'client',
    clientSecret: 'client-secret',
    refreshToken: 'refresh-0',
  });
  /** As another process has it. */
  const another = () => {
    const { db } = database.another();
    return new AccessTokens(db, new Leases(db, 5000), box, clock);
  };
  const ask = (tokens: AccessTokens, refused?: string) =>
    tokens.get({ outputId, grant: grant(), http, signal, refused });

  it('asks once, however many processes and calls want a token at the same time', async () => {
    const processes = [another(), another(), another()];
    const wanted = processes.flatMap((tokens) => [ask(tokens), ask(tokens), ask(tokens)]);
    expect(new Set(await Promise.all(wanted))).toEqual(new Set(['access-1']));
    expect(issuer.requests).toHaveLength(1);
    expect(Object.fromEntries(issuer.requests[0] ?? [])).toEqual({
      grant_type: 'refresh_token',
      client_id: 'client',
      client_secret: 'client-secret',
      refresh_token: 'refresh-0',
    });
  });

  it('renews a token that runs out or is refused once, with the refresh token that replaced the first', async () => {
    const [one, other] = [another(), another()];
    expect([await ask(one), await ask(other)]).toEqual(['access-1', 'access-1']);
    const renewed = await Promise.all([one, other, one, other].map((tokens) => ask(tokens, 'access-1')));
    expect(new Set(renewed)).toEqual(new Set(['access-2']));
    clock.advance(HOUR_MS);
    expect(new Set(await Promise.all([ask(one), ask(other)]))).toEqual(new Set(['access-3']));
    expect(issuer.requests.map((form) => form.get('refresh_token'))).toEqual([
      'refresh-0',
      'refresh-1',
      'refresh-2',
    ]);
  });

  it('renews a token two minutes before it runs out, and not a moment earlier', async () => {
    const tokens = another();
    await ask(tokens);
    clock.advance(HOUR_MS - 120_000 - 1);
    expect(await Promise.all([ask(tokens), ask(another())])).toEqual(['access-1', 'access-1']);
    clock.advance(1);
    expect(await ask(tokens)).toBe('access-2');
  });

  it('knows its own tokens without looking them up', async () => {
    const [one, other] = [another(), another()];
    await ask(one);
    await ask(other);
    await database.db.delete(outputTokens);
    expect([await ask(one), await ask(other)]).toEqual(['access-1', 'access-1']);
    expect(issuer.requests).toHaveLength(1);
  });

  it('goes on with the refresh token that it has where the partner replaces none', async () => {
    const tokens = another();
    await ask(tokens);
    issuer.refusal = { status: 200, body: '{"access_token":"access-x"}' };
    expect(await ask(tokens, 'access-1')).toBe('access-x');
    issuer.refusal = undefined;
    expect(await ask(another(), 'access-x')).toBe('access-2');
    expect(issuer.requests.map((form) => form.get('refresh_token'))).toEqual([
      'refresh-0',
      'refresh-1',
      'refresh-1',
    ]);
  });

  it('keeps what it was given though nobody waits for it any more', async () => {
    const ending = new AbortController();
    const asked = server.nextRequest().then(() => ending.abort(new Error('enough')));
    const given = another().get({ outputId, grant: grant(), http, signal: ending.signal });
    await expect(given).rejects.toThrow('enough');
    await asked;
    expect(await ask(another())).toBe('access-1');
    expect(issuer.requests).toHaveLength(1);
  });

  it('asks anew for what was sealed with a former key, and tells of what it cannot make out', async () => {
    await ask(another());
    const former = new SecretBox(randomBytes(32)).seal('{"accessToken":"old"}', `tokens of ${outputId}`);
    await database.db.update(outputTokens).set({ tokens: former });
    issuer.refusal = { status: 200, body: '{"access_token":"access-x"}' };
    expect(await ask(another())).toBe('access-x');
    await database.db.update(outputTokens).set({ tokens: box.seal('{}', `tokens of ${outputId}`) });
    await expect(ask(another())).rejects.toThrow(/accessToken/);
  });

  it('keeps nothing that can be read, and forgets it with the output', async () => {
    await ask(another());
    const [row] = await database.db.select().from(outputTokens);
    expect(JSON.stringify(row)).not.toMatch(/access-1|refresh-1/);
    await database.db.delete(outputs);
    expect(await database.db.select().from(outputTokens)).toEqual([]);
  });

  it('begins anew with other credentials', async () => {
    const tokens = another();
    await ask(tokens);
    const other = { ...grant(), refreshToken: 'refresh-1' } as OAuth2Grant;
    await expect(tokens.get({ outputId, grant: other, http, signal })).resolves.toBe('access-2');
  });

  it('says that a grant was revoked, and that an endpoint failed, and repeats nothing of either', async () => {
    issuer.refusal = {
      status: 400,
      body: '{"error":"invalid_grant","error_description":"of ann@example.com"}',
    };
    const revoked = ask(another());
    await expect(revoked).rejects.toMatchObject({ kind: 'auth', code: 'OAUTH_REFUSED' });
    await expect(revoked).rejects.toThrow(/\(invalid_grant\)/);
    await expect(revoked).rejects.not.toThrow(/ann@|client-secret|refresh-0/);
    for (const [status, error] of [
      [401, 'deleted_client'],
      [401, 'something_new'],
      [403, 'access_denied'],
    ] as const) {
      issuer.refusal = { status, body: JSON.stringify({ error }) };
      await expect(ask(another())).rejects.toMatchObject({ kind: 'auth', code: 'OAUTH_REFUSED' });
    }
    for (const answer of [
      { status: 503 },
      { status: 408 },
      { status: 403, body: '{"error":"rate_limit_exceeded"}' },
    ]) {
      issuer.refusal = answer;
      await expect(ask(another())).rejects.toMatchObject({ kind: 'retryable', code: 'OAUTH_FAILED' });
    }
    issuer.refusal = { status: 200, body: '{}' };
    await expect(ask(another())).rejects.toMatchObject({ kind: 'retryable', code: 'MALFORMED_RESPONSE' });
    issuer.refusal = undefined;
    await expect(ask(another())).resolves.toBe('access-1');
  });

  it('signs an assertion for a service account, and asks by client credentials', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const base = { tokenUrl: server.url, scope: 'https://example.com/scope' };
    const account: OAuth2Grant = { ...base, grant: 'jwt_bearer', issuer: 'hub@example.com', privateKey: pem };
    await another().get({ outputId, grant: account, http, signal });
    const [head = '', claims = '', signature = ''] = (issuer.requests[0]?.get('assertion') ?? '').split('.');
    const signed = Buffer.from(`${head}.${claims}`);
    expect(verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
    const nowS = clock.now().getTime() / 1000;
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      iss: 'hub@example.com',
      scope: base.scope,
      aud: server.url,
      iat: nowS,
      exp: nowS + 3600,
    });
    const own: OAuth2Grant = { ...base, grant: 'client_credentials', clientId: 'c', clientSecret: 's' };
    await expect(another().get({ outputId, grant: own, http, signal })).resolves.toBe('access-2');
    const bad: OAuth2Grant = { ...account, privateKey: 'no key' };
    await expect(another().get({ outputId, grant: bad, http, signal })).rejects.toMatchObject({
      code: 'OAUTH_REFUSED',
    });
  });
}

describe('access tokens on PGlite', () => tokensSuite(temporaryPglite));

await describeWith('PostgreSQL', 'access tokens of several processes', (serverUrl) =>
  tokensSuite(() => temporaryPostgres({ serverUrl })),
);
