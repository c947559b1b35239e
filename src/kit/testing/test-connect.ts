import { once } from 'node:events';
import { connect } from 'node:net';
import type { Context } from '../connector.js';

/** A `Context.connect` for contract tests: it reaches any host, and ends its connections with `signal`. */
export function testConnect(signal: AbortSignal): Context<unknown, unknown>['connect'] {
  return async ({ host, port }) => {
    signal.throwIfAborted();
    const socket = connect({ host, port, noDelay: true });
    socket.on('error', () => undefined);
    const destroy = () => socket.destroy();
    signal.addEventListener('abort', destroy, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', destroy));
    await once(socket, 'connect');
    return socket;
  };
}
