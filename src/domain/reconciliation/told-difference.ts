import type { CountVerdict } from './judge-count.js';

/** A difference that people were told of. */
export interface ToldDifference {
  verdict: Exclude<CountVerdict, 'agrees'>;
  /** What the partner had more than the hub counted; below 0: fewer. */
  difference: number;
  /** ISO 8601. */
  at: string;
}

/**
 * Whether a difference is another one than was told of. One that moved by no more than both counts may be apart anyway
 * is the same: an estimate that is another number every day is no news.
 */
export function isNewDifference(
  told: Pick<ToldDifference, 'verdict' | 'difference'> | null,
  { verdict, difference, tolerance }: Pick<ToldDifference, 'verdict' | 'difference'> & { tolerance: number },
): boolean {
  if (told?.verdict !== verdict) return true;
  return Math.abs(difference - told.difference) > tolerance;
}
