import type { Dispatcher } from 'undici';
import { fault, type ConnectorError, type HttpResponse } from '../../kit/index.js';

/** Reads an answer whole, at most `maxResponseBytes` of it. */
export async function readResponse(
  response: Dispatcher.ResponseData,
  host: string,
  { maxResponseBytes, now }: { maxResponseBytes: number; now: () => Date },
): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength;
    // Leaving the loop destroys the body and with it the connection.
    if (sizeBytes > maxResponseBytes) throw tooLarge(host, maxResponseBytes);
    chunks.push(chunk);
  }
  const headers = flatHeaders(response.headers);
  const text = withoutBom((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString('utf8') ?? '');
  return {
    status: response.statusCode,
    headers,
    text,
    retryAfterMs: retryAfterMs(headers['retry-after'], now()),
    json: () => parsed(text, host),
  };
}

/** Milliseconds of a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3); never negative. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  // HTTP dates begin with the name of a day; Date.parse alone would take far more.
  const at = /^\s*(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}

function flatHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
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

function tooLarge(host: string, maxBytes: number): ConnectorError {
  return fault.retryable('RESPONSE_TOO_LARGE', `${host} answered with more than ${maxBytes} bytes.`);
}
