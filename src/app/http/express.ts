import type { NestExpressApplication } from '@nestjs/platform-express';
import { json, type NextFunction, type Request, type Response } from 'express';
import { HubError } from '../../domain/errors/index.js';
import { asRequest } from '../../platform/audit/index.js';
import { problemOf, sendProblem } from './problem.js';
import type { ProblemFilter } from './problem.filter.js';
import { cutSlowBodies } from './slow-bodies.js';

/** Largest JSON body. Files come in by other ways. */
const BODY_LIMIT = '1mb';

const HOOKS = '/api/v1/hooks/';
/** Event notifications carry no signature of their body: they are JSON like all else. */
const NOTICES = '/api/v1/hooks/s3/';

/** Answers without the `api` role: whether the process lives and how it does. */
const OPEN_WITHOUT_API = new Set(['/health', '/metrics']);

/** What stands before Nest's routes: headers, the role of the process, the body. */
export function useBefore(app: NestExpressApplication, servesApi: boolean): void {
  app.disable('x-powered-by');
  // Large files take longer on slow lines than Node allows for a request. Headers keep their deadline.
  app.getHttpServer().requestTimeout = 0;
  app.use(cutSlowBodies());
  app.use((request: Request, response: Response, next: NextFunction) => {
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('x-frame-options', 'DENY');
    response.setHeader('cache-control', 'no-store');
    if (servesApi || OPEN_WITHOUT_API.has(request.path)) next();
    else {
      const detail = 'This process has no role "api". Ask one that has it (HUB_ROLES).';
      sendProblem(response, problemOf('ROUTE_NOT_FOUND', detail, request));
    }
  });
  const parse = json({ limit: BODY_LIMIT });
  app.use((request: Request, response: Response, next: NextFunction) => {
    // Behind the parser, so that nothing of it can lose who asks.
    const goOn = (error?: unknown) =>
      asRequest(({ id }) => {
        response.setHeader('x-request-id', id);
        next(error === undefined ? undefined : bodyError(error));
      });
    // Webhooks read their bodies by themselves: as they come, and as they were signed.
    if (request.path.startsWith(HOOKS) && !request.path.startsWith(NOTICES)) goOn();
    else parse(request, response, goOn);
  });
}

/** What stands behind them: addresses that are no route, and errors that Nest did not see. */
export function useBehind(app: NestExpressApplication, filter: ProblemFilter): void {
  app.use((request: Request, response: Response) => {
    const detail = 'No call of the API has this method and path. /docs lists the calls.';
    sendProblem(response, problemOf('ROUTE_NOT_FOUND', detail, request));
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    sendProblem(response, filter.problemOf(error, request));
  });
}

/** The parser quotes the body in its messages; this does not. */
function bodyError(error: unknown): HubError {
  const { type, status } = error as { type?: string; status?: number };
  if (type === 'entity.too.large') {
    return new HubError('BODY_TOO_LARGE', `The body is larger than ${BODY_LIMIT}. Send less at once.`);
  }
  if (status === 415) return new HubError('MEDIA_TYPE_UNSUPPORTED', 'The body must be JSON in UTF-8.');
  return new HubError('MALFORMED_BODY', 'The body is no JSON, or was cut short. Send it whole.');
}
