import type { Context } from './connector.js';

interface GrantBase {
  /** Address of the token endpoint. */
  tokenUrl: string;
  scope?: string;
}

/**
 * What a connector gets access tokens for (RFC 6749, 4.4 and 6; RFC 7523). The host asks for them, keeps them
 * encrypted, renews them once for all processes, and keeps a refresh token that the partner replaces.
 */
export type OAuth2Grant =
  | (GrantBase & { grant: 'refresh_token'; clientId: string; clientSecret: string; refreshToken: string })
  | (GrantBase & { grant: 'client_credentials'; clientId: string; clientSecret: string })
  | (GrantBase & {
      grant: 'jwt_bearer';
      /** Who asserts, `iss`: the e-mail address of a service account. */
      issuer: string;
      /** PEM of the RSA key that the assertion is signed with (RS256). */
      privateKey: string;
      keyId?: string;
    });

/**
 * The access token of a connector that declares `oauth2`. Give the one that the partner has just refused, and there
 * will be another.
 *
 * @throws ConnectorError auth OAUTH_REFUSED, retryable OAUTH_FAILED and those of `Context.http`
 */
export async function accessTokenOf(
  ctx: Pick<Context<unknown, unknown>, 'accessToken'>,
  refused?: string,
): Promise<string> {
  if (ctx.accessToken) return ctx.accessToken(refused);
  throw new Error('The connector declares no oauth2, or its host knows none.');
}
