import { randomUUID } from 'node:crypto';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ERRORS, HubError, type ErrorCode } from '../../domain/errors/index.js';
import { InvalidSettingsError, UnknownPluginError } from '../../host/registry/index.js';
import type { Logger } from '../../platform/log/index.js';
import { problemOf, sendProblem, type Problem } from './problem.js';

/** Turns every error into a problem. What nobody expected is told to the log only, under a correlation id. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Logger,
    /** Notes what was refused to whom. */
    private readonly note: (request: Request, problem: Problem) => Promise<void>,
  ) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const request = http.getRequest<Request>();
    const problem = this.problemOf(error, request);
    try {
      await this.note(request, problem);
    } catch (err) {
      this.log.error({ err, code: problem.code }, 'a refusal could not be noted');
    }
    const { retryAfterMs } = error as { retryAfterMs?: unknown };
    if (typeof retryAfterMs === 'number') {
      response.setHeader('retry-after', String(Math.ceil(retryAfterMs / 1000)));
    }
    sendProblem(response, problem);
  }

  /** The answer to `error`; writes to the log where it is unexpected. */
  problemOf(error: unknown, request: Request): Problem {
    const known = asHubError(error);
    if (known)
      return problemOf(known.code, known.message, request, known.errors ? { errors: known.errors } : {});
    const correlationId = randomUUID();
    this.log.error(
      { correlationId, method: request.method, path: request.path, err: error },
      'request failed',
    );
    const detail = `An unexpected error. The hub's log has it under the correlation id ${correlationId}.`;
    return problemOf('INTERNAL', detail, request, { correlationId });
  }
}

/** What the caller can act on, or undefined for an unexpected error. */
function asHubError(error: unknown): HubError | undefined {
  if (error instanceof HubError) return error;
  if (error instanceof InvalidSettingsError) {
    const errors = error.problems.map(({ path, message }) => ({
      field: path ? `${error.part}.${path}` : error.part,
      message,
    }));
    return new HubError(
      'SETTINGS_INVALID',
      `The ${error.part} do not fit the plugin ${error.pluginId}.`,
      errors,
    );
  }
  if (error instanceof UnknownPluginError) return new HubError('PLUGIN_UNKNOWN', error.message);
  if (error instanceof HttpException) return ofNest(error);
  return undefined;
}

/** Errors that Nest raises by itself; those of the hub are HubErrors. */
function ofNest(error: HttpException): HubError | undefined {
  const status = error.getStatus();
  if (status === 404) {
    return new HubError(
      'ROUTE_NOT_FOUND',
      'No call of the API has this method and path. /docs lists the calls.',
    );
  }
  if (status >= 500) return undefined;
  const codes = Object.keys(ERRORS) as ErrorCode[];
  const code = codes.find((candidate) => ERRORS[candidate].status === status) ?? 'BAD_REQUEST';
  return new HubError(code, `${ERRORS[code].title}.`);
}
