import { generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import type { PartnerAnswer, PartnerRequest } from '../../../src/kit/testing/index.js';
import { json } from './answers.js';

const SCOPE = 'https://www.googleapis.com/auth/datamanager';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const HOUR_SECONDS = 3600;

interface Claims {
  iss?: unknown;
  scope?: unknown;
  aud?: unknown;
  iat?: unknown;
  exp?: unknown;
}

/** Google's token endpoint as far as the hub uses it: a service account with its key, and a user of an OAuth client. */
export class TokenEndpoint {
  /** Kinds of grants that tokens were given for, in order. */
  readonly given: string[] = [];
  readonly user = { clientId: 'client-1', clientSecret: 'client-secret-1', refreshToken: 'refresh-1' };
  readonly serviceAccount = 'hub@example-project.iam.gserviceaccount.com';
  /** Seconds that a token holds, as the answer says. */
  expiresInSeconds = HOUR_SECONDS;
  /** Grants of the user and the service account are revoked. */
  revoked = false;
  readonly #valid = new Set<string>();
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });

  /** The service account's key file, as an admin downloads it. */
  get keyFile(): string {
    return JSON.stringify({
      type: 'service_account',
      project_id: 'example-project',
      private_key_id: 'key-1',
      private_key: this.#keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: this.serviceAccount,
      token_uri: 'https://oauth2.example.com/elsewhere',
    });
  }

  accepts(token: string): boolean {
    return this.#valid.has(token);
  }

  /** Tokens that were given out run out, sooner than they said. */
  expireAll(): void {
    this.#valid.clear();
  }

  answer({ body, headers }: PartnerRequest): PartnerAnswer {
    const form = new URLSearchParams(body);
    const grant = form.get('grant_type') ?? '';
    const problem = this.revoked ? 'invalid_grant' : this.problemOf(grant, form, String(headers.host));
    // The description may quote anything.
    if (problem) return json(400, { error: problem, error_description: `Bad request: ${body}` });
    const token = `ya29.${randomBytes(24).toString('base64url')}`;
    this.#valid.add(token);
    this.given.push(grant);
    return json(200, { access_token: token, expires_in: this.expiresInSeconds, token_type: 'Bearer' });
  }

  private problemOf(grant: string, form: URLSearchParams, host: string): string | undefined {
    if (grant === 'refresh_token') {
      const { clientId, clientSecret, refreshToken } = this.user;
      if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret)
        return 'invalid_client';
      return form.get('refresh_token') === refreshToken ? undefined : 'invalid_grant';
    }
    if (grant !== JWT_BEARER) return 'unsupported_grant_type';
    return this.holds(form.get('assertion') ?? '', host) ? undefined : 'invalid_grant';
  }

  /** Whether the assertion is signed with the account's key and says what Google demands of it. */
  private holds(assertion: string, host: string): boolean {
    const [head = '', claims = '', signature = ''] = assertion.split('.');
    const signed = Buffer.from(`${head}.${claims}`);
    if (!verify('RSA-SHA256', signed, this.#keys.publicKey, Buffer.from(signature, 'base64url')))
      return false;
    const { alg, kid } = parsed(head) as { alg?: unknown; kid?: unknown };
    const { iss, scope, aud, iat, exp } = parsed(claims) as Claims;
    const now = Date.now() / 1000;
    return (
      alg === 'RS256' &&
      kid === 'key-1' &&
      iss === this.serviceAccount &&
      scope === SCOPE &&
      aud === `http://${host}/token` &&
      typeof iat === 'number' &&
      typeof exp === 'number' &&
      iat <= now + 60 &&
      exp > now &&
      exp - iat <= HOUR_SECONDS
    );
  }
}

function parsed(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}
