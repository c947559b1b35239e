import type { PartnerAnswer } from '../../../src/kit/testing/index.js';

/** Canonical codes of google.rpc.Code and the HTTP status each comes with. */
const HTTP_STATUS = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
} as const;

export type CanonicalCode = keyof typeof HTTP_STATUS;

export interface Violation {
  field: string;
  reason: string;
  description?: string;
}

/** An error as Google's APIs have them. */
export function refusal(
  status: CanonicalCode,
  reason: string = status,
  {
    violations = [],
    retryDelay,
    message = 'There was a problem with the request.',
  }: { violations?: readonly Violation[]; retryDelay?: string; message?: string } = {},
): PartnerAnswer {
  const typed = (name: string, fields: object) => ({
    '@type': `type.googleapis.com/google.rpc.${name}`,
    ...fields,
  });
  const details = [
    typed('ErrorInfo', { reason, domain: 'datamanager.googleapis.com' }),
    ...(violations.length > 0 ? [typed('BadRequest', { fieldViolations: violations })] : []),
    ...(retryDelay === undefined ? [] : [typed('RetryInfo', { retryDelay })]),
    typed('RequestInfo', { requestId: 'a1b2c3d4e5' }),
  ];
  return json(HTTP_STATUS[status], { error: { code: HTTP_STATUS[status], message, status, details } });
}

/** Refuses fields of the request. */
export function invalid(...violations: Violation[]): PartnerAnswer {
  return refusal('INVALID_ARGUMENT', 'INVALID_ARGUMENT', { violations });
}

export function json(status: number, body: object): PartnerAnswer {
  const headers = { 'content-type': 'application/json; charset=UTF-8' };
  return { status, headers, body: JSON.stringify(body) };
}
