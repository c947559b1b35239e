import { createPrivateKey, sign } from 'node:crypto';
import { z } from 'zod';
import {
  fault,
  type ConnectorError,
  type HttpClient,
  type HttpResponse,
  type OAuth2Grant,
} from '../../kit/index.js';

/** What a token endpoint gave. */
export interface GrantedTokens {
  accessToken: string;
  expiresAt: Date;
  /** Only where the partner replaced the one that it was asked with. */
  refreshToken?: string;
}

const granted = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().optional(),
  refresh_token: z.string().min(1).optional(),
});
const refused = z.object({ error: z.string() });

/** RFC 6749 lets a server leave the duration out; Google's and most others' tokens hold an hour. */
const DEFAULT_SECONDS = 3600;
/** Longest that Google lets an assertion hold. */
const ASSERTION_SECONDS = 3600;
const TIMEOUT_MS = 30_000;

/** Errors of RFC 6749, 5.2 that trying again does not mend. */
const FINAL = new Set([
  'invalid_grant',
  'invalid_client',
  'unauthorized_client',
  'invalid_scope',
  'unsupported_grant_type',
  'invalid_request',
  // Google's own.
  'access_denied',
  'deleted_client',
  'disabled_client',
  'admin_policy_enforced',
  'org_internal',
]);

/** Asks a token endpoint. Throws ConnectorErrors; none of them repeats what the endpoint said but its error code. */
export async function requestTokens(http: HttpClient, grant: OAuth2Grant, now: Date): Promise<GrantedTokens> {
  const response = await http.request({
    method: 'POST',
    url: grant.tokenUrl,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(formOf(grant, now)).toString(),
    timeoutMs: TIMEOUT_MS,
  });
  if (response.status < 200 || response.status >= 300) throw refusalOf(response);
  const told = granted.safeParse(response.json());
  if (!told.success) {
    throw fault.retryable('MALFORMED_RESPONSE', 'The token endpoint answered without an access token.');
  }
  const {
    access_token: accessToken,
    expires_in: seconds = DEFAULT_SECONDS,
    refresh_token: refreshToken,
  } = told.data;
  const expiresAt = new Date(now.getTime() + seconds * 1000);
  return { accessToken, expiresAt, ...(refreshToken === undefined ? {} : { refreshToken }) };
}

function formOf(grant: OAuth2Grant, now: Date): Record<string, string> {
  if (grant.grant === 'jwt_bearer') {
    return {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: assertionOf(grant, now),
    };
  }
  const { clientId, clientSecret, scope } = grant;
  return {
    grant_type: grant.grant,
    client_id: clientId,
    client_secret: clientSecret,
    ...(grant.grant === 'refresh_token' ? { refresh_token: grant.refreshToken } : {}),
    ...(scope === undefined ? {} : { scope }),
  };
}

/** A JWT signed with RS256, RFC 7523. */
function assertionOf(grant: OAuth2Grant & { grant: 'jwt_bearer' }, now: Date): string {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const { issuer, keyId, scope, tokenUrl } = grant;
  const head = { alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) };
  const claims = { iss: issuer, scope, aud: tokenUrl, iat: issuedAt, exp: issuedAt + ASSERTION_SECONDS };
  const signed = [head, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), keyOf(grant.privateKey)).toString('base64url')}`;
}

function keyOf(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    throw fault.auth(
      'OAUTH_REFUSED',
      'The private key of the credentials is no PEM that can be read. Put the whole key in.',
    );
  }
}

function refusalOf(response: HttpResponse): ConnectorError {
  const { status, retryAfterMs } = response;
  const error = errorOf(response);
  if (status === 429)
    return fault.rateLimited('OAUTH_LIMITED', 'The token endpoint wants a pause.', retryAfterMs);
  const isFinal = status === 401 || (error === undefined ? status !== 408 : FINAL.has(error));
  if (status < 500 && isFinal) {
    const said = error === undefined ? '' : ` (${error})`;
    return fault.auth(
      'OAUTH_REFUSED',
      `The token endpoint answered ${status}${said}: the grant was revoked or ran out, or the client is not right. Connect anew and put in the new credentials.`,
    );
  }
  return fault.retryable('OAUTH_FAILED', `The token endpoint answered ${status}.`, retryAfterMs);
}

function errorOf(response: HttpResponse): string | undefined {
  try {
    const { error } = refused.parse(response.json());
    return /^[a-z_]{1,40}$/.test(error) ? error : undefined;
  } catch {
    return undefined;
  }
}
