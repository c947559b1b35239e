import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EgressGuard, egressSocket } from './index.js';

describe('egressSocket', () => {
  let server: Server;
  let port: number;
  const anywhere = new EgressGuard({ allowPrivate: true });
  const publicOnly = new EgressGuard({
    allowPrivate: false,
    resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
  });
  const running = () => new AbortController().signal;

  beforeAll(async () => {
    // A client that leaves with the greeting unread resets the line, which is an error of the server's socket.
    server = createServer((socket) => socket.on('error', () => undefined).end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    server.close();
    await once(server, 'close');
  });

  it('connects to a host that is allowed', async () => {
    const socket = await egressSocket(anywhere, { host: '127.0.0.1', port }, running());
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    expect(greeting.toString()).toBe('hello');
    socket.destroy();
  });

  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.1', 'sftp.example.com', '0x7f.1'])(
    'refuses %s, which is or resolves to a private address',
    async (host) => {
      await expect(egressSocket(publicOnly, { host, port }, running())).rejects.toMatchObject({
        kind: 'config',
        code: 'EGRESS_REFUSED',
      });
    },
  );

  it('says when nothing listens there', async () => {
    const idle = createServer();
    idle.listen(0, '127.0.0.1');
    await once(idle, 'listening');
    const free = (idle.address() as AddressInfo).port;
    idle.close();
    await once(idle, 'close');
    await expect(egressSocket(anywhere, { host: '127.0.0.1', port: free }, running())).rejects.toMatchObject({
      kind: 'retryable',
      code: 'CONNECTION_REFUSED',
    });
  });

  it.each([
    ['', 22],
    ['host.example.com', 0],
    ['host.example.com', 70_000],
    ['host.example.com', 22.5],
  ])('takes no address such as "%s" and %d', async (host, wrong) => {
    await expect(egressSocket(anywhere, { host, port: wrong }, running())).rejects.toMatchObject({
      kind: 'config',
      code: 'INVALID_URL',
    });
  });

  it('gives up when the call is aborted, before and after it connected', async () => {
    await expect(
      egressSocket(anywhere, { host: '127.0.0.1', port }, AbortSignal.abort()),
    ).rejects.toMatchObject({ code: 'ABORTED' });
    const call = new AbortController();
    const socket = await egressSocket(anywhere, { host: '127.0.0.1', port }, call.signal);
    call.abort();
    expect(socket.destroyed).toBe(true);
  });
});
