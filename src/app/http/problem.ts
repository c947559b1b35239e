import type { Request, Response } from 'express';
import { ERRORS, type ErrorCode, type FieldProblem } from '../../domain/errors/index.js';
import { errorEnvelope, isIqmPath } from '../../features/matched/index.js';

/** An error as the API answers it (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: ErrorCode;
  errors?: readonly FieldProblem[];
  /** Of unexpected errors: the same id is in the log. */
  correlationId?: string;
}

/** The problem of `code`; `instance` is the request's path without its query, which may hold secrets. */
export function problemOf(
  code: ErrorCode,
  detail: string,
  request: Pick<Request, 'originalUrl'>,
  more: Pick<Problem, 'errors' | 'correlationId'> = {},
): Problem {
  const { status, title } = ERRORS[code];
  const instance = request.originalUrl.split('?', 1)[0] ?? '/';
  return { type: `urn:audience-hub:error:${code}`, title, status, detail, instance, code, ...more };
}

/** Answers with the problem, unless an answer was begun: then the connection is cut, so nobody takes it for whole. */
export function sendProblem(response: Response, problem: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (isIqmPath(problem.instance)) {
    response
      .status(problem.status)
      .json(errorEnvelope(problem.instance, problem.status, iqmMessageOf(problem)));
    return;
  }
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** IQM says no more than this of its own mistakes; what else went wrong is told with the fields it is about. */
function iqmMessageOf({ code, detail, errors }: Problem): string {
  if (code === 'INTERNAL') return 'Internal server error';
  const fields = (errors ?? []).map(({ message }) => message).join('; ');
  return fields === '' ? detail : `${detail} ${fields}.`;
}
