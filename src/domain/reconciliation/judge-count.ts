import type { Counting } from '../../kit/index.js';

/** How a partner's count stands to the hub's. */
export type CountVerdict = 'agrees' | 'fewer' | 'more';

export interface JudgedCount {
  verdict: CountVerdict;
  /** How far both may be apart. */
  tolerance: number;
  /** What the partner has more than the hub counts; below 0: fewer. */
  difference: number;
}

/**
 * Holds a partner's count against the hub's.
 *
 * @param settling how many were added and removed that the partner's count may not show yet
 * @param unsure how many the hub does not count because the partner refused them, and may have taken since
 */
export function judgeCount(
  { hub, partner, settling, unsure }: { hub: number; partner: number; settling: number; unsure: number },
  { of = 'members', toleranceShare = 0, toleranceCount = 0 }: Counting = {},
): JudgedCount {
  const tolerance = Math.max(toleranceCount, Math.ceil(hub * toleranceShare)) + settling;
  const difference = partner - hub;
  if (difference >= -tolerance && difference <= tolerance + unsure)
    return { verdict: 'agrees', tolerance, difference };
  if (difference > 0) return { verdict: 'more', tolerance, difference };
  // Nobody matches all of a list; that none is matched at all says something.
  const isUsual = of === 'matched' && partner > 0;
  return { verdict: isUsual ? 'agrees' : 'fewer', tolerance, difference };
}
