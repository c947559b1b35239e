import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CONTROL, percentageOf, planVariants } from './ab-test.js';

const ask = (...shares: [name: string, percentage: number][]) =>
  planVariants(shares.map(([name, percentage]) => ({ name, percentage })));

const fieldsOf = (plan: ReturnType<typeof planVariants>) =>
  'problems' in plan ? plan.problems.map(({ field }) => field) : [];

describe('a plan of variants', () => {
  it('gives Control what the others leave', () => {
    expect(ask(['A', 25], ['B', 33.33])).toEqual({
      variants: [
        { name: 'A', isControl: false, fromBucket: 0, toBucket: 2500 },
        { name: 'B', isControl: false, fromBucket: 2500, toBucket: 5833 },
        { name: CONTROL, isControl: true, fromBucket: 5833, toBucket: 10_000 },
      ],
    });
    expect(ask(['A', 50], ['B', 50])).toMatchObject({
      variants: [{}, {}, { name: CONTROL, fromBucket: 10_000, toBucket: 10_000 }],
    });
  });

  it('covers every bucket once with the percentages that were asked for', () => {
    const shares = fc
      .array(fc.integer({ min: 1, max: 10_000 }), { minLength: 2, maxLength: 50 })
      .filter((buckets) => buckets.reduce((sum, one) => sum + one) <= 10_000);
    fc.assert(
      fc.property(fc.oneof(shares, fc.constant([1457, 2919, 5624])), (buckets) => {
        const given = buckets.map((count, index) => ({ name: `V${index}`, percentage: count / 100 }));
        const plan = planVariants(given);
        if (!('variants' in plan)) throw new Error(JSON.stringify(plan));
        const { variants } = plan;
        expect(variants.slice(0, -1).map(percentageOf)).toEqual(given.map(({ percentage }) => percentage));
        expect(variants.map(({ fromBucket }) => fromBucket)).toEqual([
          0,
          ...variants.slice(0, -1).map(({ toBucket }) => toBucket),
        ]);
        expect(variants.at(-1)?.toBucket).toBe(10_000);
      }),
    );
  });

  it('is refused where the variants come to over 100 %, with what they come to', () => {
    const plan = ask(['A', 60], ['B', 40.01]);
    expect(plan).toEqual({
      problems: [{ field: 'variants', message: expect.stringContaining('come to 100.01 %') }],
    });
  });

  it('is refused for one variant only, names that are taken, and odd percentages', () => {
    expect(fieldsOf(ask(['A', 10]))).toEqual(['variants']);
    expect(fieldsOf(ask(['A', 10], ['a', 10]))).toEqual(['variants.1.name']);
    expect(fieldsOf(ask(['A', 10], ['CONTROL', 10]))).toEqual(['variants.1.name']);
    expect(fieldsOf(ask(['A', 0], ['B', 10.005]))).toEqual([
      'variants.0.percentage',
      'variants.1.percentage',
    ]);
    expect(fieldsOf(ask(['A', Number.NaN], ['B', 101]))).toEqual([
      'variants.0.percentage',
      'variants.1.percentage',
    ]);
  });

  it('has two variants at least and fifty at most', () => {
    const of = (count: number) =>
      ask(...Array.from({ length: count }, (_, at) => [`V${at}`, 1] as [string, number]));
    expect(fieldsOf(of(50))).toEqual([]);
    expect(of(51)).toEqual({
      problems: [{ field: 'variants', message: expect.stringContaining('2 to 50 variants') }],
    });
    expect(fieldsOf(ask())).toEqual(['variants']);
  });

  it('says of each name whether Control or another variant has it, however it is written', () => {
    const plan = ask(['Caf\u00e9', 1], ['CAFE\u0301', 1], ['control', 1], ['Cafe', 1]);
    expect(plan).toEqual({
      problems: [
        { field: 'variants.1.name', message: expect.stringContaining('of another variant') },
        { field: 'variants.2.name', message: expect.stringContaining('must not be Control') },
      ],
    });
  });

  it('takes names that only look alike in capitals', () => {
    expect(fieldsOf(ask(['Stra\u00dfe', 1], ['Strasse', 1]))).toEqual([]);
  });

  it('takes shares from a hundredth of a percent up to all', () => {
    expect(ask(['A', 0.01], ['B', 99.99])).toMatchObject({
      variants: [{ toBucket: 1 }, { toBucket: 10_000 }, { fromBucket: 10_000 }],
    });
    expect(fieldsOf(ask(['A', 0.005], ['B', -1]))).toEqual([
      'variants.0.percentage',
      'variants.1.percentage',
    ]);
    expect(fieldsOf(ask(['A', 100], ['B', 100.01]))).toEqual(['variants.1.percentage']);
    expect(fieldsOf(ask(['A', 0.01], ['B', 10.0051]))).toEqual(['variants.1.percentage']);
  });

  it('comes to 100 % exactly though the shares are no round numbers', () => {
    expect(ask(['A', 14.57], ['B', 85.43])).toMatchObject({ variants: [{}, {}, { fromBucket: 10_000 }] });
  });
});
