import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { S3DropContext, S3DropCredentials } from './settings.js';

const CONNECT_TIMEOUT_MS = 5000;
/** Milliseconds without a byte before a request counts as lost. */
const IDLE_TIMEOUT_MS = 30_000;

/** How clients of AWS reach their servers: within the egress rules, and never waiting for ever. */
export function waysOut(lookup: S3DropContext['lookup']) {
  return {
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
  };
}

/** Nothing where there are no keys: then the hub's own role is used. */
export function keysOf({ accessKeyId, secretAccessKey, sessionToken }: S3DropCredentials) {
  if (!accessKeyId || !secretAccessKey) return {};
  return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } };
}
