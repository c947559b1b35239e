import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import type { S3DropContext } from './settings.js';

const CONNECT_TIMEOUT_MS = 5000;
/** Milliseconds without a byte before a request counts as lost. */
const IDLE_TIMEOUT_MS = 30_000;

/** A client for one call of the connector. The caller destroys it. */
export function clientOf({ settings, credentials, lookup }: S3DropContext): S3Client {
  const { region, endpoint, forcePathStyle } = settings;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return new S3Client({
    region,
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
    requestHandler: {
      httpAgent: new HttpAgent({ keepAlive: true, lookup }),
      httpsAgent: new HttpsAgent({ keepAlive: true, lookup }),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: IDLE_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    // The fault policy retries whole calls; here only what a moment mends.
    maxAttempts: 2,
    // Servers other than AWS often know no checksum headers.
    ...(endpoint === undefined ? {} : { endpoint, responseChecksumValidation: 'WHEN_REQUIRED' as const }),
    ...(accessKeyId && secretAccessKey
      ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } }
      : {}),
  });
}
