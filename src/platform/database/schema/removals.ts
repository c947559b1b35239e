import type { RemovalPlan } from '../../../domain/removal/index.js';

/**
 * How a removal ended: everybody is out (removed), the partner refused some or nobody could be taken out (stays), an
 * admin gave up on it (given_up), or nothing had been sent (never_sent).
 */
export const REMOVAL_OUTCOMES = ['removed', 'stays', 'given_up', 'never_sent'] as const;
export type RemovalOutcome = (typeof REMOVAL_OUTCOMES)[number];

/** What becomes of what a deleted connection had sent. */
export interface ConnectionRemoval {
  /** Name of the API key or user that deleted it. */
  requestedBy: string;
  /** What is, or was, to be done; null where the output cannot be asked as it is configured. */
  plan: RemovalPlan | null;
  /** What stays at the partner, and why, in sentences. */
  stays: string[];
  /** Connections to the same list at the partner, which keep their members there. */
  sharedWith: string[];
  /** Null: it is under way. */
  outcome: RemovalOutcome | null;
}
