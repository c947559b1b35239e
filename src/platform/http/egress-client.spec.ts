import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EgressClient, EgressGuard, type EgressRules } from './index.js';
import { SELF_SIGNED } from './testing/self-signed.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

describe('EgressClient', () => {
  let server: Server;
  let base: string;
  let answer: Answer;
  const clients: EgressClient[] = [];

  const portOf = (listening: { address(): unknown }) => (listening.address() as AddressInfo).port;
  const client = (rules: Partial<EgressRules> = {}) => {
    const made = new EgressClient({
      guard: new EgressGuard({ allowPrivate: true, ...rules }),
      now: () => new Date('2026-01-01T00:00:00Z'),
    });
    clients.push(made);
    return made;
  };
  const failure = (kind: string, code: string) =>
    expect.objectContaining({ name: 'ConnectorError', kind, code });

  beforeAll(async () => {
    server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${portOf(server)}`;
  });
  afterEach(() => Promise.all(clients.splice(0).map((each) => each.close())));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  describe('an answer', () => {
    it('carries status, lower-case headers, text and JSON', async () => {
      let got = '';
      answer = async (request, response) => {
        got = `${request.method} ${request.url} ${request.headers['x-batch']} ${await text(request)}`;
        response.writeHead(422, { 'X-Reason': 'no', 'Retry-After': '7', 'Set-Cookie': ['a=1', 'b=2'] });
        response.end('\uFEFF{"rejected":[]}');
      };
      const response = await client().request({
        method: 'POST',
        url: `${base}/in?x=1`,
        headers: { 'X-Batch': 'b1' },
        body: '{"é":1}',
      });
      expect(got).toBe('POST /in?x=1 b1 {"é":1}');
      expect(response).toMatchObject({ status: 422, text: '{"rejected":[]}', retryAfterMs: 7000 });
      expect(response.headers).toMatchObject({ 'x-reason': 'no', 'set-cookie': 'a=1, b=2' });
      expect(response.json()).toEqual({ rejected: [] });
    });

    it.each([
      ['Thu, 01 Jan 2026 00:01:30 GMT', 90_000],
      ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
      ['0', 0],
      ['-5', undefined],
      ['soon', undefined],
    ])('reads Retry-After %j', async (header, expected) => {
      answer = (_request, response) => response.writeHead(429, { 'Retry-After': header }).end();
      expect((await client().request({ method: 'GET', url: base })).retryAfterMs).toBe(expected);
    });

    it('that is no JSON is malformed, and not repeated in the fault', async () => {
      answer = (_request, response) => response.end('<html>ada@example.com');
      const response = await client().request({ method: 'GET', url: base });
      expect(() => response.json()).toThrow(failure('retryable', 'MALFORMED_RESPONSE'));
      expect(() => response.json()).not.toThrow('ada@example.com');
    });

    it('may be longer where the request says so, to a ceiling', async () => {
      answer = (_request, response) => response.end('x'.repeat(3 * 2 ** 20));
      const { text: body } = await client().request({
        method: 'GET',
        url: base,
        maxResponseBytes: 4 * 2 ** 20,
      });
      expect(body).toHaveLength(3 * 2 ** 20);
      answer = (_request, response) => response.end('x'.repeat(17 * 2 ** 20));
      await expect(client().request({ method: 'GET', url: base, maxResponseBytes: 2 ** 30 })).rejects.toThrow(
        failure('retryable', 'RESPONSE_TOO_LARGE'),
      );
    });

    it('longer than the limit is refused, announced or not', async () => {
      for (const announced of [true, false]) {
        answer = (_request, response) => {
          if (announced) response.setHeader('content-length', 3 * 2 ** 20);
          response.end('x'.repeat(3 * 2 ** 20));
        };
        await expect(client().request({ method: 'GET', url: base })).rejects.toThrow(
          failure('retryable', 'RESPONSE_TOO_LARGE'),
        );
      }
    });

    it('keeps its connection for the requests that follow', async () => {
      const ports = new Set<number | undefined>();
      answer = (request, response) => {
        ports.add(request.socket.remotePort);
        response.end();
      };
      const http = client();
      for (let index = 0; index < 20; index += 1)
        await http.request({ method: 'POST', url: base, body: 'x' });
      expect(ports.size).toBeLessThanOrEqual(2);
    });
  });

  describe('a redirect', () => {
    it('is followed, with method and body where the status says so', async () => {
      answer = async (request, response) => {
        if (request.url === '/old') response.writeHead(308, { location: '/new' }).end('moved');
        else response.end(`${request.method} ${request.headers.authorization} ${await text(request)}`);
      };
      const response = await client().request({
        method: 'POST',
        url: `${base}/old`,
        headers: { authorization: 'Bearer t' },
        body: 'members',
      });
      expect(response.text).toBe('POST Bearer t members');
    });

    it('takes no secret to another origin', async () => {
      answer = (request, response) => response.end(JSON.stringify(request.headers));
      const other = createServer((_request, response) => response.writeHead(307, { location: base }).end());
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { headers } = JSON.parse(
        `{"headers":${
          (
            await client().request({
              method: 'POST',
              url: `http://127.0.0.1:${portOf(other)}`,
              headers: { authorization: 'Bearer t', 'x-api-key': 'k', 'idempotency-key': 'b1' },
              body: '',
            })
          ).text
        }}`,
      ) as { headers: Record<string, string> };
      expect(headers).toMatchObject({ 'idempotency-key': 'b1' });
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['authorization']));
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-api-key']));
      other.closeAllConnections();
      other.close();
    });

    it('that never ends is given up after five', async () => {
      let requests = 0;
      answer = (_request, response) => {
        requests += 1;
        response.writeHead(302, { location: `/${requests}` }).end();
      };
      await expect(client().request({ method: 'GET', url: base })).rejects.toThrow(
        failure('config', 'TOO_MANY_REDIRECTS'),
      );
      expect(requests).toBe(6);
    });

    it('into the private network is refused', async () => {
      let requests = 0;
      answer = (_request, response) => {
        requests += 1;
        response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/iam' }).end();
      };
      const guard = new EgressGuard({ allowPrivate: false });
      // The test server itself is private: let the first address pass.
      let judged = 0;
      const judge = guard.assertAddressAllowed.bind(guard);
      guard.assertAddressAllowed = (url) => {
        judged += 1;
        if (judged > 1) judge(url);
      };
      const http = new EgressClient({ guard });
      clients.push(http);
      const refusal = http.request({ method: 'GET', url: base });
      await expect(refusal).rejects.toThrow(failure('config', 'EGRESS_REFUSED'));
      await expect(refusal).rejects.toThrow('169.254.169.254');
      await expect(refusal).rejects.not.toThrow('meta-data');
      expect(requests).toBe(1);
    });
  });

  describe('the guard', () => {
    it.each([
      'http://127.0.0.1/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://0177.0.0.1/',
      'http://127.1/',
      'http://[::1]/',
      'http://[::ffff:7f00:1]/',
      'http://[64:ff9b::a9fe:a9fe]/',
      'http://169.254.169.254/latest?secret=1',
      'http://localhost/',
    ])('refuses %s', async (url) => {
      const http = client({ allowPrivate: false });
      await expect(http.request({ method: 'GET', url })).rejects.toThrow(failure('config', 'EGRESS_REFUSED'));
    });

    it('judges the address that is connected to, so that a second answer of the resolver gains nothing', async () => {
      let connections = 0;
      answer = (_request, response) => response.end();
      server.once('connection', () => {
        connections += 1;
      });
      const answers = ['93.184.216.34', '127.0.0.1'];
      const resolve = async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }];
      const guard = new EgressGuard({ allowPrivate: false, resolve });
      const url = `http://rebind.example.com:${portOf(server)}/`;
      await guard.assertAllowed(url);
      const http = new EgressClient({ guard });
      clients.push(http);
      await expect(http.request({ method: 'GET', url })).rejects.toThrow(failure('config', 'EGRESS_REFUSED'));
      expect(connections).toBe(0);
    });

    it('connects to the public addresses of a name that has private ones too', async () => {
      const guard = new EgressGuard({
        allowPrivate: false,
        resolve: async () => [
          { address: '10.0.0.1', family: 4 },
          { address: '93.184.216.34', family: 4 },
        ],
      });
      const found = await new Promise((resolve) => {
        guard.lookup('mixed.example.com', { all: true }, (_error, addresses) => resolve(addresses));
      });
      expect(found).toEqual([{ address: '93.184.216.34', family: 4 }]);
    });

    it('refuses other protocols and passwords in the URL, without repeating the URL', async () => {
      for (const url of ['ftp://example.com/s3cret', 's3cret', 'https://user:s3cret@example.com/']) {
        const refusal = client().request({ method: 'GET', url });
        await expect(refusal).rejects.toThrow(failure('config', 'INVALID_URL'));
        await expect(refusal).rejects.not.toThrow('s3cret');
      }
    });
  });

  describe('a failed connection', () => {
    it('is TIMEOUT where nothing comes, and where it comes too slowly', async () => {
      for (const begins of [false, true]) {
        answer = (_request, response) => begins && response.writeHead(200).write('slow');
        await expect(client().request({ method: 'GET', url: base, timeoutMs: 60 })).rejects.toThrow(
          failure('retryable', 'TIMEOUT'),
        );
      }
    });

    it('is ABORTED where the caller gave up, before or during the request', async () => {
      const abort = new AbortController();
      answer = () => abort.abort();
      const request = client().bound(abort.signal).request({ method: 'GET', url: base });
      await expect(request).rejects.toThrow(failure('retryable', 'ABORTED'));
      await expect(client().request({ method: 'GET', url: base }, AbortSignal.abort())).rejects.toThrow(
        failure('retryable', 'ABORTED'),
      );
    });

    it('is CONNECTION_RESET where the partner hangs up', async () => {
      answer = (request) => request.socket.resetAndDestroy();
      const reset = client().request({ method: 'POST', url: base, body: 'x' });
      await expect(reset).rejects.toThrow(failure('retryable', 'CONNECTION_RESET'));
      answer = (request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half', () => request.socket.destroy());
      };
      const cut = client().request({ method: 'GET', url: base });
      await expect(cut).rejects.toThrow(failure('retryable', 'CONNECTION_RESET'));
    });

    it('is CONNECTION_REFUSED where nobody listens', async () => {
      const closed = createTcpServer();
      await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
      const port = portOf(closed);
      await new Promise((resolve) => closed.close(resolve));
      await expect(client().request({ method: 'GET', url: `http://127.0.0.1:${port}` })).rejects.toThrow(
        failure('retryable', 'CONNECTION_REFUSED'),
      );
    });

    it('is DNS_FAILED where the name has no address', async () => {
      const request = client().request({ method: 'GET', url: 'http://nowhere.invalid/path' });
      await expect(request).rejects.toThrow(failure('retryable', 'DNS_FAILED'));
      await expect(request).rejects.not.toThrow('path');
    });

    it('is MALFORMED_RESPONSE where the answer is not HTTP', async () => {
      const garbage = createTcpServer(
        (socket) => void socket.on('error', () => undefined).end('SSH-2.0-nothing\r\n'),
      );
      await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
      await expect(
        client().request({ method: 'GET', url: `http://127.0.0.1:${portOf(garbage)}` }),
      ).rejects.toThrow(failure('retryable', 'MALFORMED_RESPONSE'));
      garbage.close();
    });

    it('is TLS_FAILED where the certificate is not trusted, or there is no TLS', async () => {
      const tls = createTlsServer(SELF_SIGNED);
      await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
      for (const port of [portOf(tls), portOf(server)]) {
        await expect(client().request({ method: 'GET', url: `https://127.0.0.1:${port}` })).rejects.toThrow(
          failure('config', 'TLS_FAILED'),
        );
      }
      tls.closeAllConnections();
      tls.close();
    });

    it('is INVALID_REQUEST where a header cannot be sent', async () => {
      const request = { method: 'GET', url: base, headers: { 'x-name': 'a\r\nb: c' } } as const;
      await expect(client().request(request)).rejects.toThrow(failure('config', 'INVALID_REQUEST'));
    });
  });
});
