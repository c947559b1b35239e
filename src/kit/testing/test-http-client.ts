import { isNativeError } from 'node:util/types';
import { fault } from '../fault.js';
import type { HttpClient, HttpRequest, HttpResponse } from '../connector.js';
import type { Evidence } from './evidence.js';

/** A small HttpClient for contract tests, with the errors of the hub's own. Follows no redirects. */
export class TestHttpClient implements HttpClient {
  /** `timeoutMs` is the most that a request may take, whatever the connector asks for. */
  constructor(
    private readonly evidence: Evidence,
    private readonly signal: AbortSignal,
    private readonly timeoutMs: number,
  ) {}

  async request(request: HttpRequest): Promise<HttpResponse> {
    this.evidence.note('a URL', request.url);
    const timeout = AbortSignal.timeout(Math.min(request.timeoutMs ?? this.timeoutMs, this.timeoutMs));
    try {
      const response = await fetch(request.url, {
        method: request.method,
        redirect: 'manual',
        signal: AbortSignal.any([this.signal, timeout]),
        ...(request.headers ? { headers: request.headers } : {}),
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      return answerOf(response, await response.text());
    } catch (error) {
      this.signal.throwIfAborted();
      throw timeout.aborted
        ? fault.retryable('TIMEOUT', 'The partner did not answer in time.')
        : fault.retryable('CONNECTION_RESET', `The connection to the partner broke (${codeOf(error)}).`);
    }
  }
}

function answerOf(response: Response, text: string): HttpResponse {
  const retryAfterMs = retryAfterMsOf(response.headers.get('retry-after'));
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    json: () => parse(text),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw fault.retryable('MALFORMED_RESPONSE', 'The partner answered with something else than JSON.');
  }
}

function retryAfterMsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function codeOf(error: unknown): string {
  const cause: unknown = isNativeError(error) ? error.cause : undefined;
  return isNativeError(cause) && 'code' in cause ? String(cause.code) : 'unknown';
}
