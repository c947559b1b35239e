import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../test/support/until.js';
import { EgressClient } from './egress-client.js';
import { EgressGuard } from './egress-guard.js';

/** More than a connection holds on its way. */
const BODY = Buffer.alloc(32 * 2 ** 20, 'x');

describe('the moment when requests have left', () => {
  let server: Server;
  let url: string;
  const sockets: Socket[] = [];
  let client: EgressClient;

  beforeEach(async () => {
    server = createServer((socket) => {
      socket.pause().on('error', () => undefined);
      sockets.push(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
    client = new EgressClient({ guard: new EgressGuard({ allowPrivate: true }) });
  });
  afterEach(async () => {
    await client.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  const signal = () => new AbortController().signal;
  const isWritten = async (sending: { written(): Promise<void> }) =>
    Promise.race([
      sending.written().then(() => true),
      new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
    ]);

  it('comes when the other side has taken the body, before it answers', async () => {
    const sending = client.sending();
    expect(await isWritten(sending)).toBe(true);
    const answer = client.bound(signal(), sending).request({ method: 'POST', url, body: BODY });
    answer.catch(() => undefined);
    await until('the connection is made', () => sockets.length === 1);
    expect(await isWritten(sending)).toBe(false);
    sockets[0]?.resume();
    await sending.written();
    sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    expect((await answer).status).toBe(200);
  });

  it('does not come with an answer that comes before the body is taken', async () => {
    const sending = client.sending();
    const answer = client.bound(signal(), sending).request({ method: 'POST', url, body: BODY });
    await until('the connection is made', () => sockets.length === 1);
    sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    expect((await answer).status).toBe(200);
    expect(await isWritten(sending)).toBe(false);
    sockets[0]?.resume();
    await sending.written();
  });

  it('waits for no request of another line', async () => {
    const [slow, own] = [client.sending(), client.sending()];
    const stuck = client.bound(signal(), slow).request({ method: 'POST', url, body: BODY });
    stuck.catch(() => undefined);
    await until('the connection is made', () => sockets.length === 1);
    const small = client.bound(signal(), own).request({ method: 'POST', url, body: Buffer.from('{}') });
    small.catch(() => undefined);
    await own.written();
    expect(await isWritten(slow)).toBe(false);
  });

  it('comes behind what waits in the same connection, whoever sent that', async () => {
    const [first, own] = [client.sending(), client.sending()];
    const answered = client.bound(signal(), first).request({ method: 'POST', url, body: BODY });
    await until('the connection is made', () => sockets.length === 1);
    sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    await answered;
    const small = client.bound(signal(), own).request({ method: 'POST', url, body: Buffer.from('{}') });
    small.catch(() => undefined);
    await until('it is handed over', async () => !(await isWritten(own)));
    expect(sockets).toHaveLength(1);
    sockets[0]?.resume();
    await own.written();
  });

  it('comes when a request has failed', async () => {
    const sending = client.sending();
    const abort = new AbortController();
    const answer = client.bound(abort.signal, sending).request({ method: 'POST', url, body: BODY });
    answer.catch(() => undefined);
    await until('the connection is made', () => sockets.length === 1);
    abort.abort();
    await expect(answer).rejects.toMatchObject({ kind: 'retryable' });
    await sending.written();
  });
});
