import { fault, type HttpRequest } from '../../kit/index.js';
import { parseTarget } from './egress-guard.js';

/** One request on the way to the answer. */
export interface Hop {
  url: URL;
  method: HttpRequest['method'];
  headers: Record<string, string>;
  body: HttpRequest['body'];
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const ABOUT_THE_BODY = /^content-/i;
/** Names of headers that hold a secret. An idempotency key is none. */
const SECRET_HEADER =
  /(^|[-_])(auth\w*|cookie|token|secret|signature|credentials?|session|password)([-_]|$)|(?<!idempotency-)key$/i;

/**
 * The request that a redirect asks for; undefined where the answer is no redirect. As browsers do it: 303
 * becomes GET, and so does POST after 301 and 302; headers that hold a secret stay with their origin.
 *
 * @throws ConnectorError `config` INVALID_URL, or REDIRECT_REFUSED from https to http: what was meant to be
 * encrypted is not sent in the clear.
 */
export function nextHop(hop: Hop, status: number, location: string | undefined): Hop | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  const url = parseTarget(URL.canParse(location, hop.url.href) ? new URL(location, hop.url).href : '');
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') {
    throw fault.config(
      'REDIRECT_REFUSED',
      `${hop.url.host} redirects from https to http. Use the address it should be.`,
    );
  }
  const dropsBody = status === 303 || (hop.method === 'POST' && (status === 301 || status === 302));
  const keepsSecrets = trustedBy(hop.url, url);
  const headers = Object.entries(hop.headers).filter(
    ([name]) => !(dropsBody && ABOUT_THE_BODY.test(name)) && (keepsSecrets || !SECRET_HEADER.test(name)),
  );
  return {
    url,
    method: dropsBody ? 'GET' : hop.method,
    headers: Object.fromEntries(headers),
    body: dropsBody ? undefined : hop.body,
  };
}

/** The same origin, or the same host on its way from http to https, both on their usual ports. */
function trustedBy(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:';
  return upgraded && from.hostname === to.hostname && from.port === '' && to.port === '';
}
