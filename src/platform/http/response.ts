import type { IncomingHttpHeaders } from 'node:http';
import { fault, type HttpResponse } from '../../kit/index.js';
import type { Answer } from './exchange.js';

/** An answer as connectors see it. */
export function responseOf(answer: Answer, host: string, now: () => Date): HttpResponse {
  const headers = flatHeaders(answer.headers);
  const text = withoutBom(answer.body.toString('utf8'));
  return {
    status: answer.status,
    headers,
    text,
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
    json: () => parsed(text, host),
  };
}

/** Milliseconds of a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3); never negative. */
function retryAfterMs(header: string | undefined, now: () => Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  // HTTP dates begin with the name of a day; Date.parse alone would take far more.
  const at = /^\s*(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now().getTime());
}

function flatHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function parsed(text: string, host: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw fault.retryable(
      'MALFORMED_RESPONSE',
      `${host} answered with ${text.length} characters that are no JSON.`,
    );
  }
}

function withoutBom(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
