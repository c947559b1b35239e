import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { judgeRefresh, type RefreshCounts } from './guard.js';

const COUNTS: RefreshCounts = {
  previousSize: 100,
  nextSize: 98,
  added: 2,
  removed: 4,
  rowsRead: 98,
  rowsRejected: 0,
  endsMidRecord: false,
};

function codeOf(counts: Partial<RefreshCounts>): string {
  const verdict = judgeRefresh({ ...COUNTS, ...counts });
  return verdict.verdict === 'hold' ? verdict.code : verdict.verdict;
}

describe('the guard of a refresh', () => {
  it.each<[string, Partial<RefreshCounts>, string]>([
    ['an ordinary change passes', {}, 'pass'],
    ['exactly half may go', { nextSize: 50 }, 'pass'],
    ['more than half is held', { nextSize: 49 }, 'WOULD_SHRINK'],
    ['a share of its own counts instead', { nextSize: 89, maxShrinkShare: 0.1 }, 'WOULD_SHRINK'],
    ['to zero is held whatever the share', { nextSize: 0, maxShrinkShare: 1 }, 'WOULD_BE_EMPTY'],
    ['a cut file is held', { endsMidRecord: true }, 'LOOKS_TRUNCATED'],
    ['a file that is mostly rejected is held', { rowsRead: 9, rowsRejected: 5 }, 'MOSTLY_REJECTED'],
    ['half rejected passes', { rowsRead: 10, rowsRejected: 5 }, 'pass'],
    ['ten rows more or less than declared pass', { declaredRows: 88 }, 'pass'],
    ['eleven rows less than declared are held', { rowsRead: 40, declaredRows: 51 }, 'ROW_COUNT_DIFFERS'],
    ['eleven rows more than declared are held', { rowsRead: 51, declaredRows: 40 }, 'ROW_COUNT_DIFFERS'],
    ['a tenth of a large file passes', { rowsRead: 900, declaredRows: 1000 }, 'pass'],
    ['more than a tenth is held', { rowsRead: 899, declaredRows: 1000 }, 'ROW_COUNT_DIFFERS'],
    [
      'more than a tenth of what was read is held',
      { rowsRead: 1000, declaredRows: 899 },
      'ROW_COUNT_DIFFERS',
    ],
    ['a tenth of what was read passes', { rowsRead: 1000, declaredRows: 900 }, 'pass'],
    ['a first import cannot shrink', { previousSize: 0, nextSize: 0, rowsRead: 0 }, 'pass'],
    ['a first import can be cut', { previousSize: 0, endsMidRecord: true }, 'LOOKS_TRUNCATED'],
  ])('%s', (_name, counts, code) => {
    expect(codeOf(counts)).toBe(code);
  });

  it('says both counts where they differ', () => {
    const verdict = judgeRefresh({ ...COUNTS, rowsRead: 40, declaredRows: 60 });
    expect('message' in verdict && verdict.message).toMatch(
      /^The file has 40 rows, and 60 were declared\. Nothing was changed/,
    );
  });

  it('says the counts and what to do', () => {
    expect(judgeRefresh({ ...COUNTS, nextSize: 10, added: 0, removed: 90 })).toEqual({
      verdict: 'hold',
      code: 'WOULD_SHRINK',
      message:
        'The audience would shrink from 100 to 10 members (90 removed, 0 added); at most 50 % may go. Nothing was changed. Release the import if this is right, else discard it and upload a corrected file.',
    });
  });

  it('never holds a whole, accepted file that does not shrink the audience', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (previousSize, more, share) => {
          const nextSize = previousSize + more;
          expect(codeOf({ previousSize, nextSize, rowsRead: nextSize, maxShrinkShare: share })).toBe('pass');
        },
      ),
    );
  });
});
