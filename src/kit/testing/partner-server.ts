import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as the partner got it. */
export interface PartnerRequest {
  method: string;
  /** Path and query. */
  url: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: string;
}

/** What the partner says to it. */
export interface PartnerAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A stand-in for the partner, with a memory. Made anew for every check. */
export interface FakePartner {
  answer(request: PartnerRequest): PartnerAnswer;
  /** What the partner now holds, in an order that does not depend on the calls. */
  state(): unknown;
}

/** How a partner fails instead of answering. */
export type PartnerFailure = ((request: PartnerRequest) => PartnerAnswer) | 'hang' | 'reset';

/** A real HTTP server on a free port of this machine that answers as a {@link FakePartner}, or fails. */
export class PartnerServer {
  readonly requests: PartnerRequest[] = [];
  /** Set: every request fails like this. */
  failure: PartnerFailure | undefined;
  readonly #server: Server;
  readonly #arrivals: (() => void)[] = [];

  private constructor(private readonly partner: FakePartner) {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(partner: FakePartner): Promise<PartnerServer> {
    const server = new PartnerServer(partner);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the next request has arrived. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request: PartnerRequest = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      ),
      body: await text(incoming),
    };
    this.requests.push(request);
    for (const arrived of this.#arrivals.splice(0)) arrived();
    if (this.failure === 'hang') return;
    if (this.failure === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    const { status, headers, body } = (this.failure ?? ((one) => this.partner.answer(one)))(request);
    response.writeHead(status, headers).end(body);
  }
}
