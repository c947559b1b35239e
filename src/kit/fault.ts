import { isNativeError } from 'node:util/types';

/**
 * Why a connector call failed, in the words the host acts on. The policy of each kind (retry, what becomes
 * of the connection, when a fault row is written, who acts) is one table: `domain/faults/fault-policy.ts`.
 */
export const FAULT_KINDS = [
  'retryable',
  'rate_limited',
  'auth',
  'config',
  'permanent',
  'unexpected',
] as const;

/** One of {@link FAULT_KINDS}. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What a connector throws. Anything else that escapes from a connector counts as `unexpected`. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';

  constructor(
    readonly kind: FaultKind,
    /** Stable SCREAMING_SNAKE code, listed in the plugin's README. */
    readonly code: string,
    /** What happened and what to do next. Never holds a secret or personal data. */
    message: string,
    /** Milliseconds the partner asked to be left alone, where it said so. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

/**
 * True for a ConnectorError, also one made by another copy of the kit: a plugin from outside the hub
 * brings its own, and `instanceof` would not know it.
 */
export function isConnectorError(error: unknown): error is ConnectorError {
  return (
    isNativeError(error) &&
    error.name === 'ConnectorError' &&
    'kind' in error &&
    (FAULT_KINDS as readonly unknown[]).includes(error.kind)
  );
}

/**
 * Code of a `config` fault that says: the list at the partner that `create` made is there no more. Resume makes it
 * anew and sends the whole audience once.
 */
export const LIST_GONE = 'LIST_GONE';

/** Makers of each kind: `throw fault.auth('TOKEN_REVOKED', 'Meta revoked the token. Reconnect the output.')`. */
export const fault = {
  retryable: (code: string, message: string, retryAfterMs?: number) =>
    new ConnectorError('retryable', code, message, retryAfterMs),
  rateLimited: (code: string, message: string, retryAfterMs?: number) =>
    new ConnectorError('rate_limited', code, message, retryAfterMs),
  auth: (code: string, message: string) => new ConnectorError('auth', code, message),
  config: (code: string, message: string) => new ConnectorError('config', code, message),
  permanent: (code: string, message: string) => new ConnectorError('permanent', code, message),
} as const;

/**
 * The kind an HTTP status stands for: 401 and 403 auth; 429 rate_limited; 408, 423 and 5xx except 501
 * retryable; everything else permanent (the request will be refused again as it is).
 */
export function faultFromStatus(status: number, message: string, retryAfterMs?: number): ConnectorError {
  return new ConnectorError(kindOfStatus(status), `HTTP_${status}`, message, retryAfterMs);
}

function kindOfStatus(status: number): FaultKind {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status === 423) return 'retryable';
  if (status >= 500 && status !== 501) return 'retryable';
  return 'permanent';
}
