import { ERRORS, type ErrorCode } from './catalogue.js';

/** One field of a request that does not fit. `field` is dotted, empty for the whole; no value is quoted. */
export interface FieldProblem {
  field: string;
  message: string;
}

/**
 * An error the caller of the API can act on. It becomes `application/problem+json`; the message is its
 * `detail`: what happened, where, what was expected, what to do next. Never a secret, never personal data.
 */
export class HubError extends Error {
  override readonly name = 'HubError';
  /** HTTP status, fixed by the code. */
  readonly status: number;

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** What is wrong field by field, where it is about fields. */
    readonly errors?: readonly FieldProblem[],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = ERRORS[code].status;
  }
}

/** The answer for what is not there, and the same for what the caller may not see. */
export function notFound(what: string, id: string | number): HubError {
  return new HubError('NOT_FOUND', `There is no ${what} ${id}, or this API key may not see it.`);
}
