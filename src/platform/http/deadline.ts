import { fault, type ConnectorError } from '../../kit/index.js';

/** Ends a request when its time is up or its caller aborts. */
export class Deadline {
  readonly #timer: NodeJS.Timeout;
  #reason: ConnectorError | undefined;
  #stop: ((reason: ConnectorError) => void) | undefined;

  /** @param host named in the fault. */
  constructor(
    private readonly timeoutMs: number,
    private readonly host: string,
    private readonly caller?: AbortSignal,
  ) {
    this.#timer = setTimeout(this.#timedOut, timeoutMs);
    if (caller?.aborted) this.#aborted();
    else caller?.addEventListener('abort', this.#aborted);
  }

  /** Calls `stop` when the request must end, at once if it already must. The last one set counts. */
  onEnd(stop: (reason: ConnectorError) => void): void {
    this.#stop = stop;
    if (this.#reason) stop(this.#reason);
  }

  /** Lets go of timer and caller. */
  release(): void {
    clearTimeout(this.#timer);
    this.caller?.removeEventListener('abort', this.#aborted);
  }

  readonly #timedOut = () => {
    this.#end(fault.retryable('TIMEOUT', `${this.host} did not answer within ${this.timeoutMs} ms.`));
  };

  readonly #aborted = () => {
    this.#end(
      fault.retryable('ABORTED', `The request to ${this.host} was given up by the hub, not by ${this.host}.`),
    );
  };

  #end(reason: ConnectorError): void {
    this.#reason ??= reason;
    this.#stop?.(this.#reason);
  }
}
