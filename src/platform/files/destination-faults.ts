import { ConnectorError, fault } from '../../kit/index.js';
import { transportFault } from '../http/index.js';
import { InvalidKeyError, StorageFullError } from './file-store.js';

const NOT_ALLOWED = new Set(['EACCES', 'EPERM', 'EROFS']);
const NO_FOLDER = new Set(['ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY', 'ELOOP', 'ENAMETOOLONG']);
const KEYS_REFUSED = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'CredentialsProviderError',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
]);
const WRONG_PLACE = new Set([
  'NoSuchBucket',
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'InvalidBucketName',
]);
const BUSY = new Set(['SlowDown', 'ServiceUnavailable', 'RequestTimeout', 'InternalError', 'TimeoutError']);

/** What a failed write or read at `where` means for the connection; what is not understood stays as it is. */
export function destinationFault(error: unknown, where: string): unknown {
  if (error instanceof ConnectorError) return error;
  if (error instanceof StorageFullError) return fault.retryable('STORAGE_FULL', error.message);
  if (error instanceof InvalidKeyError) return fault.permanent('INVALID_KEY', error.message);
  const { name = '', code = '', $metadata } = error as { name?: string; code?: string; $metadata?: Answer };
  if (NOT_ALLOWED.has(code)) {
    return fault.config(
      'DESTINATION_NOT_WRITABLE',
      `${where} cannot be written to (${code}). Grant the hub access.`,
    );
  }
  if (NO_FOLDER.has(code)) {
    return fault.config(
      'DESTINATION_UNUSABLE',
      `A file is in the way of a folder in ${where} (${code}). Move it.`,
    );
  }
  const status = $metadata?.httpStatusCode ?? 0;
  if (KEYS_REFUSED.has(name) || status === 401 || status === 403) {
    return fault.auth(
      'ACCESS_DENIED',
      `${where} refuses these keys (${name}). Check them and their permissions.`,
    );
  }
  if (WRONG_PLACE.has(name) || status === 301) {
    return fault.config(
      'BUCKET_UNUSABLE',
      `${where} cannot be used (${name}). Check bucket, region and endpoint.`,
    );
  }
  if (BUSY.has(name) || status === 429 || status >= 500) {
    return fault.retryable('STORAGE_BUSY', `${where} cannot answer at the moment (${name}).`);
  }
  return transportFault(unwrapped(error), where);
}

/** The SDK turns errors that it does not know for errors into a text; the code of the system is in it. */
function unwrapped(error: unknown): unknown {
  const code = /^AWS SDK error wrapper for .*\b(E[A-Z_]{4,})\b/.exec((error as Error).message)?.[1];
  return code ? Object.assign(new Error(code, { cause: error }), { code }) : error;
}

/** The part of an SDK error that tells of the answer. */
interface Answer {
  httpStatusCode?: number;
}
