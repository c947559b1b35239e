import type { OutputLimits } from '../../kit/index.js';

/** How sending ended without a failure. `waitMs`: until the partner is to be asked for its jobs. */
export type CourseEnd = 'sent' | 'paused' | 'aborted' | { waitMs: number };

/** One try of a delivery. */
export interface Attempt {
  /** True until something got through to a partner whose connection is faulted. */
  probing: boolean;
  /** Whether anything of it may have reached the partner. */
  reached: boolean;
}

/** How much of a delivery may be under way. */
export interface CourseOptions {
  /** Steps that may be with the partner at once. */
  concurrency: number;
  /** Steps that may wait for jobs of the partner. */
  jobs: number;
  /** Whether the step after them is begun as well, and waits for its turn. */
  ahead: boolean;
  attempt: Attempt;
}

/** The options of a connection with these limits. */
export function courseOptions(limits: OutputLimits, attempt: Attempt): CourseOptions {
  const { concurrency = 1, jobs = 1, ahead = false, rateLimit } = limits;
  // What is granted by the budget is to be sent at once.
  return { concurrency, jobs: Math.max(jobs, concurrency), ahead: ahead && !rateLimit, attempt };
}
