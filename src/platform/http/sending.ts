import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** The sockets of a client: which of them is written to, and when one has written everything. */
export class SocketWatch {
  #onWrite: ((socket: Socket) => void) | undefined;
  readonly #waiting = new Map<Socket, (() => void)[]>();

  /** The same connector, whose sockets are watched. */
  watching(connect: buildConnector.connector): buildConnector.connector {
    return (options, callback) =>
      connect(options, (...result) => {
        const [, socket] = result;
        if (socket) this.#watch(socket);
        callback(...result);
      });
  }

  /** Calls `then` with the socket that is written to next. */
  nextWrite(then: (socket: Socket) => void): void {
    this.#onWrite = then;
  }

  /** Calls `then` once the socket has written all that waits in it now, or is closed. */
  afterWriting(socket: Socket, then: () => void): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined || socket.writableLength === 0) then();
    else waiting.push(then);
  }

  #watch(socket: Socket): void {
    this.#waiting.set(socket, []);
    const empty = () => {
      for (const then of this.#waiting.get(socket)?.splice(0) ?? []) then();
    };
    socket.on('drain', empty);
    socket.once('close', () => {
      empty();
      this.#waiting.delete(socket);
    });
    const write = socket.write.bind(socket) as (...parameters: unknown[]) => boolean;
    socket.write = (...parameters: unknown[]) => {
      const written = write(...parameters);
      this.#onWrite?.(socket);
      this.#onWrite = undefined;
      return written;
    };
  }
}

/** One request on its way out. */
export interface Departure {
  /** It is written now, before anything else is. */
  starts(): void;
  /** It came to nothing. */
  fails(): void;
}

/** Requests of one line to a partner: tells when they have left this process, which is the time for work that would hold them up. */
export class Sending {
  #leaving = 0;
  #waiting: (() => void)[] = [];

  constructor(private readonly sockets: SocketWatch) {}

  /** A request that is handed over now. */
  departure(): Departure {
    let isGone = false;
    const gone = () => {
      if (isGone) return;
      isGone = true;
      this.#leaving -= 1;
      if (this.#leaving === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    };
    this.#leaving += 1;
    return {
      starts: () =>
        this.sockets.nextWrite((socket) => {
          // Behind the body, which is written in the same turn as the head.
          process.nextTick(() => this.sockets.afterWriting(socket, gone));
        }),
      fails: gone,
    };
  }

  /** Resolves once all requests of the line that were made have left this process, or failed. Answers do not count. */
  written(): Promise<void> {
    return this.#leaving === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
