import type { Readable } from 'node:stream';
import { Agent, buildConnector } from 'undici';
import {
  fault,
  type ConnectorError,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
} from '../../kit/index.js';
import { Deadline } from './deadline.js';
import { parseTarget, type EgressGuard } from './egress-guard.js';
import { exchange, type Answer } from './exchange.js';
import { responseOf } from './response.js';
import { nextHop, type Hop } from './redirects.js';
import { transportFault } from './transport-faults.js';
import { Sending, SocketWatch } from './sending.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_RESPONSE_BYTES = 2 ** 20;
/** No request may ask for more. */
const RESPONSE_CEILING_BYTES = 16 * 2 ** 20;
const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
const CONNECTIONS_PER_ORIGIN = 64;

/** What an {@link EgressClient} may be told. */
export interface EgressClientOptions {
  guard: EgressGuard;
  /** Longest answer that is read, in bytes. Default 1 MiB: partners answer batches, they send no data. */
  maxResponseBytes?: number;
  /** For Retry-After dates. */
  now?: () => Date;
}

/**
 * The kit's HttpClient for the whole process: one pool of kept-alive connections, every address judged by
 * the guard, redirects followed by hand. Errors, all ConnectorErrors: EGRESS_REFUSED, INVALID_URL,
 * INVALID_REQUEST, REDIRECT_REFUSED, TOO_MANY_REDIRECTS, TLS_FAILED (config); TIMEOUT, ABORTED, DNS_FAILED,
 * CONNECTION_REFUSED, CONNECTION_RESET, RESPONSE_TOO_LARGE, MALFORMED_RESPONSE (retryable).
 */
export class EgressClient implements HttpClient {
  readonly #agent: Agent;
  readonly #options: Required<EgressClientOptions>;
  readonly #sockets = new SocketWatch();

  constructor(options: EgressClientOptions) {
    this.#options = { maxResponseBytes: MAX_RESPONSE_BYTES, now: () => new Date(), ...options };
    this.#agent = new Agent({
      connect: this.#sockets.watching(
        buildConnector({ lookup: options.guard.lookup, timeout: CONNECT_TIMEOUT_MS }),
      ),
      connections: CONNECTIONS_PER_ORIGIN,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // The request's own deadline covers headers and body.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** The same client for one connector call: its requests end when `signal` aborts. */
  bound(signal: AbortSignal, sending?: Sending): HttpClient {
    return { request: (request) => this.request(request, signal, sending) };
  }

  async request(request: HttpRequest, signal?: AbortSignal, sending?: Sending): Promise<HttpResponse> {
    const first = parseTarget(request.url);
    const deadline = new Deadline(request.timeoutMs ?? DEFAULT_TIMEOUT_MS, first.host, signal);
    let hop: Hop = { url: first, method: request.method, headers: request.headers ?? {}, body: request.body };
    try {
      for (let redirects = 0; ; redirects += 1) {
        const answer = await this.#send(hop, deadline, request.maxResponseBytes, sending);
        const next = nextHop(hop, answer.status, answer.headers.location);
        if (!next) return responseOf(answer, hop.url.host, this.#options.now);
        if (redirects === MAX_REDIRECTS) throw tooManyRedirects(first.host);
        hop = next;
      }
    } catch (error) {
      throw transportFault(error, hop.url.host);
    } finally {
      deadline.release();
    }
  }

  /**
   * Opens a large answer as a stream, within the same rules; the answer's headers must be there in time, and
   * `signal` ends it. Whoever gets it limits what is read.
   */
  async download(address: string, signal: AbortSignal): Promise<{ status: number; body: Readable }> {
    let hop: Hop = { url: parseTarget(address), method: 'GET', headers: {}, body: undefined };
    try {
      for (let redirects = 0; ; redirects += 1) {
        const { url } = hop;
        this.#options.guard.assertAddressAllowed(url);
        const { statusCode, headers, body } = await this.#agent.request({
          origin: url.origin,
          path: url.pathname + url.search,
          method: 'GET',
          headers: { 'accept-encoding': 'identity', ...hop.headers },
          headersTimeout: DEFAULT_TIMEOUT_MS,
          signal,
        });
        const { location } = headers;
        const next = nextHop(hop, statusCode, typeof location === 'string' ? location : undefined);
        if (!next) return { status: statusCode, body };
        // Its end is of no interest, and an error of it neither.
        body.on('error', () => undefined).destroy();
        if (redirects === MAX_REDIRECTS) throw tooManyRedirects(hop.url.host);
        hop = next;
      }
    } catch (error) {
      throw transportFault(error, hop.url.host);
    }
  }

  /** To tell when the requests that are given it have left this process. */
  sending(): Sending {
    return new Sending(this.#sockets);
  }

  /** Closes the pool; requests under way end with CONNECTION_RESET. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #send(
    { url, method, headers, body }: Hop,
    deadline: Deadline,
    maxBytes = this.#options.maxResponseBytes,
    sending?: Sending,
  ): Promise<Answer> {
    this.#options.guard.assertAddressAllowed(url);
    const request = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { 'accept-encoding': 'identity', ...headers },
      body: body ?? null,
    };
    const limits = { maxBytes: Math.min(maxBytes, RESPONSE_CEILING_BYTES), deadline };
    return exchange(this.#agent, request, limits, sending?.departure());
  }
}

function tooManyRedirects(host: string): ConnectorError {
  return fault.config(
    'TOO_MANY_REDIRECTS',
    `${host} redirects more than ${MAX_REDIRECTS} times. Use its last address.`,
  );
}
