import { fault, type ConnectorError } from '../../kit/index.js';

/** Ends a request when its time is up or its caller aborts, and knows afterwards which it was. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #endedBy: 'caller' | 'time' | undefined;

  constructor(
    private readonly timeoutMs: number,
    private readonly caller?: AbortSignal,
  ) {
    this.#timer = setTimeout(() => this.#end('time'), timeoutMs);
    if (caller?.aborted) this.#end('caller');
    else caller?.addEventListener('abort', this.#aborted, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The fault to throw where this deadline ended the request. */
  fault(host: string): ConnectorError | undefined {
    if (this.#endedBy === 'time') {
      return fault.retryable('TIMEOUT', `${host} did not answer within ${this.timeoutMs} ms.`);
    }
    if (this.#endedBy === 'caller') {
      return fault.retryable('ABORTED', `The request to ${host} was given up by the hub, not by ${host}.`);
    }
    return undefined;
  }

  /** Lets go of timer and caller. */
  end(): void {
    clearTimeout(this.#timer);
    this.caller?.removeEventListener('abort', this.#aborted);
  }

  readonly #aborted = () => this.#end('caller');

  #end(by: 'caller' | 'time'): void {
    this.#endedBy ??= by;
    this.#controller.abort();
  }
}
