import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { waterfallOf } from './index.js';

const anyRows = fc.nat({ max: 1000 });
const anyCounts = fc.record({
  rejected: anyRows,
  matchedBy: fc.dictionary(fc.constantFrom('email', 'phone', 'customer_id'), anyRows),
  newRows: anyRows,
  unknown: anyRows,
});

describe('the identity waterfall', () => {
  it('adds up at every level', () => {
    fc.assert(
      fc.property(anyCounts, fc.nat({ max: 100 }), fc.nat({ max: 100 }), (counts, members, news) => {
        const newProfiles = Math.min(members, news);
        const fall = waterfallOf({ ...counts, rejectedByReason: {}, members, newProfiles });
        expect(fall.rows).toBe(fall.rejected + fall.valid);
        expect(fall.valid).toBe(fall.matched + fall.new + fall.unknown);
        expect(fall.matched).toBe(Object.values(fall.matchedBy).reduce((sum, rows) => sum + rows, 0));
        expect(fall.matched + fall.new).toBe(fall.members + fall.duplicates);
        expect(fall.members).toBe(fall.knownProfiles + fall.newProfiles);
      }),
    );
  });

  it('says the share of valid rows that matched, and none where no row is valid', () => {
    const counts = { rejected: 5, rejectedByReason: {}, members: 0, newProfiles: 0 };
    const rate = (matched: number, newRows: number, unknown: number) =>
      waterfallOf({ ...counts, matchedBy: { email: matched }, newRows, unknown }).matchRate;
    expect(rate(3, 4, 1)).toBe(3 / 8);
    expect(rate(0, 1, 0)).toBe(0);
    expect(rate(0, 0, 0)).toBeNull();
  });
});
