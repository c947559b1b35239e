import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isNewDifference } from './told-difference.js';

const fewer = (difference: number, tolerance = 0) => ({ verdict: 'fewer' as const, difference, tolerance });

describe('a difference', () => {
  it('is new where nobody was told of any, or of one to the other side', () => {
    expect(isNewDifference(null, fewer(-2))).toBe(true);
    expect(isNewDifference({ verdict: 'more', difference: 2 }, fewer(-2))).toBe(true);
  });

  it('is the same while its number is, and within what may be apart anyway', () => {
    expect(isNewDifference({ verdict: 'fewer', difference: -2 }, fewer(-2))).toBe(false);
    expect(isNewDifference({ verdict: 'fewer', difference: -2 }, fewer(-3))).toBe(true);
    expect(isNewDifference({ verdict: 'fewer', difference: -2000 }, fewer(-2900, 1000))).toBe(false);
    expect(isNewDifference({ verdict: 'fewer', difference: -2000 }, fewer(-3001, 1000))).toBe(true);
  });

  it('that creeps is told of again before it is further than the tolerance from what was told', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 10 }), { minLength: 1, maxLength: 50 }), (steps) => {
        const tolerance = 10;
        let told = -1;
        let now = -1;
        for (const step of steps) {
          now -= step;
          if (isNewDifference({ verdict: 'fewer', difference: told }, fewer(now, tolerance))) told = now;
          expect(told - now).toBeLessThanOrEqual(tolerance);
        }
      }),
    );
  });
});
