import { connect, type Socket } from 'node:net';
import { fault, type ConnectTarget } from '../../kit/index.js';
import { Deadline } from './deadline.js';
import type { EgressGuard } from './egress-guard.js';
import { transportFault } from './transport-faults.js';

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * A TCP connection to a host that the guard allows. Destroyed when `signal` aborts, at whatever time.
 *
 * @throws ConnectorError EGRESS_REFUSED, INVALID_URL (config); TIMEOUT, ABORTED, DNS_FAILED,
 * CONNECTION_REFUSED, CONNECTION_RESET (retryable).
 */
export async function egressSocket(
  guard: EgressGuard,
  { host, port, timeoutMs = DEFAULT_TIMEOUT_MS }: ConnectTarget,
  signal: AbortSignal,
): Promise<Socket> {
  if (host.trim() === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw fault.config(
      'INVALID_URL',
      'The address cannot be used: expected a host and a port from 1 to 65535.',
    );
  }
  guard.assertHostAllowed(host);
  const deadline = new Deadline(timeoutMs, host, signal);
  try {
    const socket = await connected(guard, host, port, deadline);
    // A break between two uses would else be an uncaught exception; whoever uses the socket hears of it too.
    socket.on('error', () => undefined);
    const destroy = () => socket.destroy();
    signal.addEventListener('abort', destroy, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', destroy));
    if (signal.aborted) destroy();
    return socket;
  } catch (error) {
    throw transportFault(error, host);
  } finally {
    deadline.release();
  }
}

function connected(guard: EgressGuard, host: string, port: number, deadline: Deadline): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, lookup: guard.lookup, noDelay: true, keepAlive: true });
    socket.once('error', reject);
    deadline.onEnd((reason) => socket.destroy(reason));
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      resolve(socket);
    });
  });
}
