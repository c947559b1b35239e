import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ImportProgress } from './import-work.js';
import { countsStill, importRows } from './import-rows.js';

const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((total, count) => total + count, 0);
const count = fc.nat(1000);
const reasons = fc.dictionary(fc.constantFrom('EMAIL_INVALID', 'NO_IDENTITY', 'TOO_FEW_COLUMNS'), count);

/** What the steps of an import have found out, in keeping with each other. */
const progress = fc
  .record({
    broken: reasons,
    invalid: reasons,
    matchedBy: fc.dictionary(fc.constantFrom('email', 'phone', 'customer_id'), count),
    created: count,
    unknown: count,
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    createdProfiles: count,
  })
  .map(({ broken, invalid, matchedBy, created, unknown, share, createdProfiles }) => {
    const matched = sum(matchedBy);
    const known: unknown = {
      report: { rejected: sum(broken), rejectedByReason: broken, mapping: { identities: [] } },
      staged: {
        rows: matched + created + unknown + sum(invalid),
        rejected: sum(invalid),
        withInvalidCells: 0,
      },
      invalidByReason: invalid,
      resolved: { matched, created, unknown, createdProfiles, matchedBy },
      nextSize: Math.floor((matched + created) * share),
    };
    return known as ImportProgress;
  });

describe('the account of an import', () => {
  it('has every row somewhere on every level of the waterfall', () => {
    fc.assert(
      fc.property(progress, (given) => {
        const { waterfall, ...rows } = importRows({ progress: given });
        if (waterfall === undefined) throw new Error('What was counted has a waterfall.');
        expect(waterfall.rows).toBe(rows.read);
        expect(waterfall.rows).toBe(waterfall.rejected + waterfall.valid);
        expect(waterfall.rejected).toBe(sum(waterfall.rejectedByReason));
        expect(waterfall.valid).toBe(waterfall.matched + waterfall.new + waterfall.unknown);
        expect(waterfall.matched).toBe(sum(waterfall.matchedBy));
        expect(waterfall.matched + waterfall.new).toBe(waterfall.members + waterfall.duplicates);
        expect(waterfall.members).toBe(waterfall.knownProfiles + waterfall.newProfiles);
        expect(
          Math.min(...Object.values(waterfall).map((level) => (typeof level === 'number' ? level : 0))),
        ).toBe(0);
        expect(rows.accepted).toBe(rows.matched + rows.created + rows.unknown + rows.duplicate);
        const { valid, matched, matchRate } = waterfall;
        expect(matchRate).toBe(valid === 0 ? null : matched / valid);
      }),
    );
  });

  it('names the only identity type of a file of one column', () => {
    const known: unknown = {
      report: {
        rejected: 0,
        rejectedByReason: {},
        mapping: { identities: [{ type: 'email', columns: [0] }] },
      },
      staged: { rows: 3, rejected: 0, withInvalidCells: 0 },
      resolved: { matched: 2, created: 1, unknown: 0, createdProfiles: 1 },
      nextSize: 2,
    };
    expect(importRows({ progress: known as ImportProgress }).waterfall).toMatchObject({
      matchedBy: { email: 2 },
      new: 1,
      duplicates: 1,
      members: 2,
    });
  });

  it('has no waterfall before the rows are counted', () => {
    expect(importRows({ progress: {} }).waterfall).toBeUndefined();
  });

  it('goes on with what an earlier run counted, but not of other rows', () => {
    const resolved = { matched: 2, created: 1, unknown: 0, createdProfiles: 1 };
    expect(countsStill({ resolved }, { rows: 5, rejected: 2, withInvalidCells: 0 })).toEqual({ resolved });
    expect(countsStill({ resolved }, { rows: 5, rejected: 1, withInvalidCells: 0 })).toEqual({});
    expect(countsStill({}, { rows: 0, rejected: 0, withInvalidCells: 0 })).toEqual({});
    // Rows of suppressed people are in the stage again, and were never counted.
    const withheld = { resolved, suppressed: 2 };
    expect(countsStill(withheld, { rows: 7, rejected: 2, withInvalidCells: 0 })).toEqual({ resolved });
  });
});
