import type { FaultKind } from '../../kit/index.js';

/**
 * Every code of a fault that the hub and its own plugins raise, with its kind. docs/faults.md lists the same
 * and says what to do; a spec holds both and the sources against each other. Codes are never renamed.
 *
 * Two families have no list: `HTTP_` and a status, and the names of S3's own errors.
 */
export const FAULT_CODES = {
  TIMEOUT: 'retryable',
  CALL_TIMEOUT: 'retryable',
  STILL_PENDING: 'retryable',
  CONNECTION_REFUSED: 'retryable',
  CONNECTION_RESET: 'retryable',
  CONNECTION_LOST: 'retryable',
  DNS_FAILED: 'retryable',
  MALFORMED_RESPONSE: 'retryable',
  RESPONSE_TOO_LARGE: 'retryable',
  ABORTED: 'retryable',
  TLS_FAILED: 'config',
  TOO_MANY_REDIRECTS: 'config',
  REDIRECT_REFUSED: 'config',
  EGRESS_REFUSED: 'config',
  INVALID_URL: 'config',
  INVALID_REQUEST: 'config',
  FOLDER_REFUSED: 'config',
  DESTINATION_INVALID: 'config',
  DESTINATION_REFUSED: 'config',
  DESTINATION_NOT_WRITABLE: 'config',
  DESTINATION_UNUSABLE: 'config',
  STORAGE_FULL: 'retryable',
  STORAGE_BUSY: 'retryable',
  BUCKET_UNUSABLE: 'config',
  ACCESS_DENIED: 'auth',
  INVALID_KEY: 'permanent',
  PARTS_MISSING: 'retryable',
  FOLDER_MISSING: 'config',
  NOT_A_FOLDER: 'config',
  FOLDER_UNREADABLE: 'config',
  FILE_UNREADABLE: 'config',
  PLUGIN_UNKNOWN: 'config',
  SETTINGS_INVALID: 'config',
  SECRET_SEALED: 'config',
  REPLACE_UNSUPPORTED: 'config',
  ROWS_REJECTED: 'permanent',
  WAREHOUSE_FAILED: 'retryable',
  UNEXPECTED: 'unexpected',
  INVALID_BATCH_RESULT: 'unexpected',
  COUNTS_DISAGREE: 'unexpected',
} as const satisfies Record<string, FaultKind>;

/** Codes of members that were not sent, in a delivery's outcomes. Those of rejected members are the partner's. */
export const SKIP_CODES = ['NO_ACCEPTED_IDENTITY', 'REMOVE_UNSUPPORTED'] as const;
