import { fault, faultFromStatus, type ConnectorError } from '../../src/kit/index.js';

/**
 * How a partner fails. `slow`: its next job takes many looks. `partly`: it refuses every third row. 401 lasts until
 * somebody mends it, everything else for some calls.
 */
export const FAILINGS = [
  'status 500',
  'reset',
  'timeout',
  'garbage',
  '429',
  '401',
  'slow',
  'partly',
] as const;
export type Failing = (typeof FAILINGS)[number];

export interface Mood {
  fails: Failing;
  /** It does what it is asked for, and says that it did not. */
  applied: boolean;
  calls: number;
  /** Calls that are served well before that. */
  after: number;
}

/** A call that fails, before or after it was done. */
export interface FailedCall {
  error: ConnectorError;
  applied: boolean;
}

const PAUSE_MS = 45_000;
const LOOKS_A_CALL = 10;

/** How one partner feels. */
export class Moods {
  #mood: Mood | undefined;

  set(mood: Mood): void {
    this.#mood = { ...mood };
  }

  mend(): void {
    this.#mood = undefined;
  }

  nextCall(): FailedCall | undefined {
    const mood = this.#mood;
    if (!mood) return undefined;
    if (mood.after > 0) {
      mood.after -= 1;
      return undefined;
    }
    const error = errorOf(mood.fails);
    if (!error) return undefined;
    if (mood.fails !== '401') this.#count();
    return { error, applied: mood.applied && isAmbiguous(mood.fails) };
  }

  /** Whether the rows of the next batch are taken in part. */
  isPartial(): boolean {
    if (this.#mood?.fails !== 'partly') return false;
    this.#count();
    return true;
  }

  /** How often the next job is asked for in vain. */
  looksInVain(): number {
    const mood = this.#mood;
    if (mood?.fails !== 'slow') return 0;
    this.mend();
    return mood.calls * LOOKS_A_CALL;
  }

  #count(): void {
    if (!this.#mood) return;
    this.#mood.calls -= 1;
    if (this.#mood.calls <= 0) this.mend();
  }
}

/** A partner that refuses the caller, or wants a pause, has done nothing. */
function isAmbiguous(fails: Failing): boolean {
  return fails !== '401' && fails !== '429';
}

function errorOf(fails: Failing): ConnectorError | undefined {
  switch (fails) {
    case 'status 500':
      return faultFromStatus(500, 'The partner failed.');
    case '401':
      return faultFromStatus(401, 'The token was revoked.');
    case '429':
      return faultFromStatus(429, 'Too many requests.', PAUSE_MS);
    case 'reset':
      return fault.retryable('CONNECTION_RESET', 'The partner broke the connection.');
    case 'timeout':
      return fault.retryable('TIMEOUT', 'The partner did not answer.');
    case 'garbage':
      return fault.retryable('MALFORMED_RESPONSE', 'The partner answered no JSON.');
    case 'slow':
    case 'partly':
      return undefined;
  }
}
