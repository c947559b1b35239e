import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { estimateShare } from './proportion.js';

describe('a share estimated from a sample', () => {
  it('says nothing where nothing was drawn', () => {
    expect(estimateShare(0, 0)).toEqual({ share: 0, low: 0, high: 1 });
  });

  it('is what textbooks say', () => {
    const { share, low, high } = estimateShare(8, 10);
    expect(share).toBe(0.8);
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
  });

  it('leaves room at the ends: none of 50 may still be seven in a hundred', () => {
    const { low, high } = estimateShare(0, 50);
    expect(low).toBe(0);
    expect(high).toBeCloseTo(0.0713, 4);
  });

  it('lies in its range, and the range gets narrower with more rows', () => {
    const samples = fc
      .integer({ min: 1, max: 5000 })
      .chain((drawn) => fc.record({ drawn: fc.constant(drawn), hits: fc.nat(drawn) }));
    fc.assert(
      fc.property(samples, ({ drawn, hits }) => {
        const small = estimateShare(hits, drawn);
        const large = estimateShare(hits * 10, drawn * 10);
        for (const { share, low, high } of [small, large]) {
          expect(low).toBeGreaterThanOrEqual(0);
          expect(low).toBeLessThanOrEqual(share + 1e-12);
          expect(high).toBeGreaterThanOrEqual(share - 1e-12);
          expect(high).toBeLessThanOrEqual(1);
        }
        expect(large.high - large.low).toBeLessThan(small.high - small.low);
      }),
    );
  });
});
