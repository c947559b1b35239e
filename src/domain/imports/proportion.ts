/** A share found in a sample, and where the true one lies in 95 of 100 cases. All from 0 to 1. */
export interface Proportion {
  share: number;
  low: number;
  high: number;
}

/** Two-sided 95 %. */
const Z = 1.959964;

/**
 * Estimates a share from `hits` of `drawn` (Wilson's score interval, which holds at the ends too: none of 50 is
 * not "0 % for sure"). Where nothing is drawn, anything may be true.
 */
export function estimateShare(hits: number, drawn: number): Proportion {
  if (drawn === 0) return { share: 0, low: 0, high: 1 };
  const share = hits / drawn;
  const square = Z ** 2 / drawn;
  const middle = (share + square / 2) / (1 + square);
  const reach = (Z * Math.sqrt((share * (1 - share)) / drawn + square / (4 * drawn))) / (1 + square);
  return { share, low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}
