import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** The sockets of a client, and who waits until some of them have written everything. */
export class SocketWatch {
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<{ sockets: Set<Socket>; resolve: () => void }>();

  /** The same connector, whose sockets are watched. */
  watching(connect: buildConnector.connector): buildConnector.connector {
    return (options, callback) =>
      connect(options, (...result) => {
        const [, socket] = result;
        if (socket) this.#watch(socket);
        callback(...result);
      });
  }

  /** Sockets that have something left to write. */
  busy(): Set<Socket> {
    return new Set([...this.#sockets].filter(({ writableLength }) => writableLength > 0));
  }

  /** Calls `resolve` once all of the sockets have written everything, or are closed. */
  afterAll(sockets: Set<Socket>, resolve: () => void): void {
    if (sockets.size === 0) resolve();
    else this.#waiting.add({ sockets, resolve });
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('drain', () => this.#empty(socket));
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#empty(socket);
    });
  }

  #empty(socket: Socket): void {
    for (const waiting of this.#waiting) {
      waiting.sockets.delete(socket);
      if (waiting.sockets.size > 0) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}

/** One request on its way out. */
export interface Departure {
  /** It is about to be written, in this turn. */
  starts(): void;
  /** It is over, however. */
  ends(): void;
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
      starts: () => {
        const before = this.sockets.busy();
        // Behind the writing, which is done in one go.
        process.nextTick(() => {
          const own = [...this.sockets.busy()].filter((socket) => !before.has(socket));
          this.sockets.afterAll(new Set(own), gone);
        });
      },
      ends: gone,
    };
  }

  /** Resolves once all requests of the line that were made have left this process, or are over. */
  written(): Promise<void> {
    return this.#leaving === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
