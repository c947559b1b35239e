import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inRangeSql, rangesOf } from './ranges.js';

const FIRST_MPID = -(2n ** 63n);
const LAST_MPID = 2n ** 63n - 1n;

const counts = fc
  .uniqueArray(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), { maxLength: 50 })
  .chain((spans) =>
    fc.tuple(...spans.map((span) => fc.record({ span: fc.constant(span), members: fc.nat(500) }))),
  );

describe('rangesOf', () => {
  it('covers every mpid once, ascending, whatever the counts', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 2000 }), (spans, target) => {
        const ranges = rangesOf(spans, target);
        expect(ranges[0]?.first).toBe(FIRST_MPID);
        expect(ranges.at(-1)?.last).toBe(LAST_MPID);
        for (const [index, range] of ranges.entries()) {
          expect(range.last >= range.first).toBe(true);
          const next = ranges[index + 1];
          if (next) expect(next.first).toBe(range.last + 1n);
        }
      }),
    );
  });

  it('holds a range to the target where no single span is larger', () => {
    const spans = Array.from({ length: 100 }, (_, index) => ({ span: index - 50, members: 10 }));
    const ranges = rangesOf(spans, 100);
    expect(ranges).toHaveLength(10);
    expect(ranges[1]).toEqual({ first: -40n * 2n ** 48n, last: -30n * 2n ** 48n - 1n });
  });

  it('is one range of everything for nobody', () => {
    expect(rangesOf([], 100)).toEqual([{ first: FIRST_MPID, last: LAST_MPID }]);
  });
});

describe('inRangeSql', () => {
  it('leaves out the lowest bound, which no literal can say', () => {
    expect(inRangeSql({ first: FIRST_MPID, last: -1n })).toBe('(1 AND mpid <= -1)');
    expect(inRangeSql({ first: -5n, last: 7n })).toBe('(mpid >= -5 AND mpid <= 7)');
  });
});
