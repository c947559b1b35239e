import { ERRORS, type Lock, type Locker, type RequestRelease } from '@tus/server';

/** So long a request waits for the one before it to stop. */
const WAIT_MS = 15_000;

interface Held {
  release: RequestRelease;
  ended: Promise<void>;
}

/**
 * One request at an upload at a time, within this process: a new one asks the one before to stop and waits for it,
 * so that whoever comes back after a broken line need not wait until the old connection is found dead. Between
 * processes the rows decide (see ResumableUploads).
 */
export class TakeoverLocker implements Locker {
  private readonly held = new Map<string, Held>();

  newLock(id: string): Lock {
    const { promise, resolve } = withResolvers();
    return {
      lock: async (signal, release) => {
        const patience = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]);
        for (let before = this.held.get(id); before !== undefined; before = this.held.get(id)) {
          await before.release();
          await Promise.race([before.ended, aborted(patience)]);
          if (patience.aborted) throw ERRORS.ERR_LOCK_TIMEOUT;
        }
        this.held.set(id, { release, ended: promise });
      },
      unlock: async () => {
        this.held.delete(id);
        resolve();
        return Promise.resolve();
      },
    };
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
