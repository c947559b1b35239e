import { getEventListeners } from 'node:events';

/**
 * Ends calls under way when a signal aborts. What a call is ended by serves the next one too: each new one would stay, with
 * all that hangs on it, until the whole heap is collected, because Node holds it from outside of the heap.
 */
export class CallEnds {
  readonly #underWay = new Set<AbortController>();
  readonly #spare: AbortController[] = [];

  constructor(signal: AbortSignal) {
    const endAll = () => {
      for (const call of this.#underWay) call.abort(signal.reason);
    };
    signal.addEventListener('abort', endAll, { once: true });
  }

  /** For a call that begins. */
  begin(): AbortController {
    const call = this.#spare.pop() ?? new AbortController();
    this.#underWay.add(call);
    return call;
  }

  /** The call is over. Where somebody still waits for its end, nobody else gets it. */
  end(call: AbortController): void {
    this.#underWay.delete(call);
    const { signal } = call;
    if (!signal.aborted && getEventListeners(signal, 'abort').length === 0) this.#spare.push(call);
  }
}
