import { ConnectorError, fault } from '../../kit/index.js';
import { dnsFailed } from './egress-guard.js';

const RESET = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);
const REFUSED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL']);
const TIMED_OUT = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
const TLS =
  /^(ERR_TLS_|ERR_SSL_|CERT_|EPROTO$|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA)/;

/**
 * What a failed connection means, as a fault that names `host` and never path or query. Errors that do
 * not come from the connection are returned as they are.
 */
export function transportFault(error: unknown, host: string): unknown {
  if (error instanceof ConnectorError) return error;
  const code = codeOf(error);
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return dnsFailed(host);
  if (TIMED_OUT.has(code)) return fault.retryable('TIMEOUT', `${host} could not be reached in time.`);
  if (REFUSED.has(code))
    return fault.retryable('CONNECTION_REFUSED', `${host} takes no connection (${code}).`);
  if (RESET.has(code)) return fault.retryable('CONNECTION_RESET', `${host} broke the connection off.`);
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return fault.retryable('MALFORMED_RESPONSE', `${host} did not answer in HTTP (${code}).`);
  }
  if (TLS.test(code)) {
    return fault.config(
      'TLS_FAILED',
      `No secure connection to ${host}: ${code}. Its certificate must be mended.`,
    );
  }
  if (code === 'UND_ERR_INVALID_ARG') {
    return fault.config(
      'INVALID_REQUEST',
      `The request to ${host} has a header or method that HTTP does not allow.`,
    );
  }
  return error;
}

/** The code of an error or of what it wraps: several tried addresses are one AggregateError. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { name, code, cause, errors } = error as Record<string, unknown>;
  // The parser does not number all of its complaints.
  if (name === 'HTTPParserError') return typeof code === 'string' ? code : 'HPE_UNNAMED';
  const own = typeof code === 'string' ? code : '';
  if (own !== '' && own !== 'UND_ERR_SOCKET') return own;
  return codeOf(Array.isArray(errors) ? errors[0] : cause) || own;
}
