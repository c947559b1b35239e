import { z } from 'zod';
import type { OAuth2Grant } from '../../src/kit/index.js';
import type { GoogleCredentials, GoogleSettings } from './settings.js';

/** The one scope of the Data Manager API. */
export const SCOPE = 'https://www.googleapis.com/auth/datamanager';

const keyFile = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().min(1).optional(),
});

/** A service account's key file; undefined where the text is none. */
export function readKey(text: string): z.output<typeof keyFile> | undefined {
  try {
    return keyFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** How access tokens are asked for. What the key file says of addresses is not followed. */
export function grantOf(
  { oauthEndpoint: tokenUrl }: GoogleSettings,
  { serviceAccountKey, clientId = '', clientSecret = '', refreshToken = '' }: GoogleCredentials,
): OAuth2Grant {
  const key = serviceAccountKey === undefined ? undefined : readKey(serviceAccountKey);
  // A refresh token has the scopes that were granted with it.
  if (key === undefined) return { grant: 'refresh_token', tokenUrl, clientId, clientSecret, refreshToken };
  const { client_email: issuer, private_key: privateKey, private_key_id: keyId } = key;
  const own = keyId === undefined ? {} : { keyId };
  return { grant: 'jwt_bearer', tokenUrl, scope: SCOPE, issuer, privateKey, ...own };
}
