import { isNativeError } from 'node:util/types';
import { fault, isConnectorError, SourceChangedError } from '../../src/kit/index.js';

/** What the SDK's errors are read for; their messages may quote keys and headers, so they are not repeated. */
interface S3Failure {
  name: string;
  code?: string;
  status?: number;
  retryAfterMs?: number;
}

const AUTH_NAMES = new Set([
  'AccessDenied',
  'AccountProblem',
  'CredentialsProviderError',
  'ExpiredToken',
  'Forbidden',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
]);

const CONFIG_REASONS: Record<string, string> = {
  NoSuchBucket: 'The bucket does not exist. Correct the bucket, or the endpoint.',
  QueueDoesNotExist: 'The queue of queueUrl does not exist. Correct queueUrl, or the region.',
  InvalidBucketName: 'The bucket has a name that S3 does not allow. Correct the bucket.',
  PermanentRedirect: 'The bucket lies in another region. Correct the region.',
  AuthorizationHeaderMalformed: 'The bucket lies in another region. Correct the region.',
  IllegalLocationConstraintException: 'The bucket lies in another region. Correct the region.',
};

const GONE_NAMES = new Set(['NoSuchKey', 'NotFound', 'PreconditionFailed']);
const BUSY_NAMES = new Set([
  'InternalError',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
]);
const LOST_NAMES = new Set(['TimeoutError', 'NetworkingError']);
const LOST_CODES = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The error to throw for `error` of a call on `bucket`. What is not recognised stays what it is: unexpected. */
export function s3FaultOf(error: unknown, bucket: string, key?: string): unknown {
  // A refusal by the hub's own rules comes through the client as it is.
  if (isConnectorError(error)) return error;
  const failure = failureOf(error);
  if (!failure) return error;
  const { name, code, status, retryAfterMs } = failure;
  if (
    key !== undefined &&
    (GONE_NAMES.has(name) || status === 412 || (status === 404 && name !== 'NoSuchBucket'))
  ) {
    return new SourceChangedError(`The object ${key} changed after it was listed.`);
  }
  const reason = CONFIG_REASONS[name] ?? (status === 301 ? CONFIG_REASONS.PermanentRedirect : undefined);
  if (reason) return fault.config(codeOf(name), `Bucket ${bucket}: ${reason}`);
  if (AUTH_NAMES.has(name) || status === 401 || status === 403) {
    return fault.auth(
      codeOf(name),
      `Bucket ${bucket}: access was refused (${name}). Mend the keys or the policy.`,
    );
  }
  if (BUSY_NAMES.has(name) || status === 429 || (status !== undefined && status >= 500 && status !== 501)) {
    return fault.retryable(codeOf(name), `Bucket ${bucket}: the server is busy (${name}).`, retryAfterMs);
  }
  if (LOST_NAMES.has(name) || (code !== undefined && LOST_CODES.has(code))) {
    return fault.retryable(
      'CONNECTION_LOST',
      `Bucket ${bucket}: no answer (${code ?? name}). Is the endpoint right and up?`,
    );
  }
  return error;
}

function failureOf(error: unknown): S3Failure | undefined {
  if (!isNativeError(error)) return undefined;
  const {
    $metadata: metadata,
    $retryable,
    code,
  } = error as {
    $metadata?: { httpStatusCode?: number };
    $retryable?: { retryAfterMs?: number };
    code?: unknown;
  };
  const known = typeof code === 'string' ? code : wrappedCodeOf(error.message);
  return {
    name: error.name,
    ...(known === undefined ? {} : { code: known }),
    ...(metadata?.httpStatusCode === undefined ? {} : { status: metadata.httpStatusCode }),
    ...($retryable?.retryAfterMs === undefined ? {} : { retryAfterMs: $retryable.retryAfterMs }),
  };
}

/** The SDK's retry puts what it does not take for an Error into one that has only a message. */
function wrappedCodeOf(message: string): string | undefined {
  if (!message.startsWith('AWS SDK error wrapper for')) return undefined;
  return /\bE[A-Z]{5,}\b/.exec(message)?.[0] ?? (/socket hang up/.test(message) ? 'ECONNRESET' : undefined);
}

/** `NoSuchBucket` → `NO_SUCH_BUCKET`. */
function codeOf(name: string): string {
  return name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toUpperCase();
}
