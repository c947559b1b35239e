import { LeaseLostError } from '../../platform/lease/index.js';

/** How long a call under way may go on after the process was told to stop. */
const LAST_CALL_MS = 2500;

/** A signal for calls under way: it follows `signal` a little later, but at once where the lease was lost. */
export function lastCalls(signal: AbortSignal): { signal: AbortSignal; end(): void } {
  const calls = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    if (signal.reason instanceof LeaseLostError) calls.abort(signal.reason);
    else timer = setTimeout(() => calls.abort(signal.reason), LAST_CALL_MS);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return {
    signal: calls.signal,
    end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}
