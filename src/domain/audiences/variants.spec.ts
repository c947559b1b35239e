import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SqlBench } from '../../../test/support/evaluate-sql.js';
import { sipHash64 } from './sip-hash.js';
import {
  bucketOf,
  bucketSql,
  FULL_AUDIENCE,
  inTargetSql,
  isInTarget,
  targetOfVariant,
  type AudienceTarget,
} from './variants.js';

let bench: SqlBench;
beforeAll(async () => {
  bench = await SqlBench.open();
});
afterAll(() => bench.close());

const PROFILES = 100_000;
const profiles = `arrayMap(n -> reinterpretAsInt64(sipHash64(n)), range(${PROFILES}))`;

async function one(expression: string): Promise<unknown> {
  const [row] = await bench.evaluate([{ any: '' }], { value: expression });
  return row?.value;
}

function variant(fromBucket: number, toBucket: number, testId = 'test-1'): AudienceTarget {
  return { kind: 'variant', testId, variantId: 'v', fromBucket, toBucket };
}

describe('variants of an audience', () => {
  it('get their share of the profiles, whatever the test', async () => {
    const cases = fc.sample(fc.tuple(fc.uuid(), fc.integer({ min: 500, max: 9500 })), 10);
    for (const [testId, toBucket] of cases) {
      const members = await one(
        `arrayCount(m -> ${inTargetSql(variant(0, toBucket, testId), 'm')}, ${profiles})`,
      );
      // Six standard deviations of a binomial share: once in half a billion runs.
      expect(Math.abs(Number(members) / PROFILES - toBucket / 10_000)).toBeLessThan(
        6 * Math.sqrt(0.25 / PROFILES),
      );
    }
  });

  it('part the audience: every profile is in exactly one', async () => {
    const targets = [variant(0, 2500), variant(2500, 9999), variant(9999, 10_000)];
    const memberships = targets.map((target) => inTargetSql(target, 'm')).join(' + ');
    expect(await one(`arrayUniq(arrayMap(m -> ${memberships}, ${profiles}))`)).toBe(1);
    expect(await one(`arrayMin(m -> ${memberships}, ${profiles})`)).toBe(1);
  });

  it('of different tests are independent', async () => {
    const both = `${inTargetSql(variant(0, 5000), 'm')} AND ${inTargetSql(variant(0, 5000, 'test-2'), 'm')}`;
    expect(
      Math.abs(Number(await one(`arrayCount(m -> ${both}, ${profiles})`)) / PROFILES - 0.25),
    ).toBeLessThan(0.01);
  });

  it('are for ever: the bucket of a profile is a stored promise', async () => {
    expect(
      await one(
        `[${bucketSql('test-1', '1')}, ${bucketSql('test-1', '-1327484737295091692')}, ${bucketSql('test-2', '1')}]`,
      ),
    ).toEqual([1802, 9419, 5286]);
  });

  it('are not needed for the full audience', async () => {
    expect(await one(`arrayCount(m -> ${inTargetSql(FULL_AUDIENCE, 'm')}, ${profiles})`)).toBe(PROFILES);
  });

  it('take any text as test id', async () => {
    expect(await one(bucketSql("it's \\ a 'test'", '1'))).toEqual(expect.any(Number));
  });

  it('are the same by the twin of the SQL, whatever the test and the profile', async () => {
    const mpid = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    const cases = fc.sample(fc.record({ test: fc.string({ unit: 'grapheme' }), mpid }), 300);
    for (const edge of ['-9223372036854775808', '0', '9223372036854775807'])
      cases.push({ test: 'x', mpid: edge });
    const tests = cases.map(({ test }) => test.replaceAll('\0', ''));
    const rows = cases.map((one, index) => ({ test: tests[index] ?? '', mpid: one.mpid }));
    const told = await bench.evaluate(rows, { bucket: 'sipHash64(test, toInt64(mpid)) % 10000' });
    expect(rows.map(({ test, mpid: own }) => bucketOf(test, own))).toEqual(
      told.map(({ bucket }) => Number(bucket)),
    );
    const target = targetOfVariant({
      id: 'v',
      testId: 'x',
      fromBucket: bucketOf('x', '0'),
      toBucket: bucketOf('x', '0') + 1,
    });
    expect([isInTarget(target, '0'), isInTarget(FULL_AUDIENCE, '7')]).toEqual([true, true]);
    expect(
      isInTarget(targetOfVariant({ id: 'v', testId: 'x', fromBucket: 0, toBucket: bucketOf('x', '0') }), '0'),
    ).toBe(false);
  });

  it('begin with their first bucket and end before the next one’s', () => {
    const bucket = bucketOf('x', '0');
    const isIn = (fromBucket: number, toBucket: number) =>
      isInTarget({ kind: 'variant', testId: 'x', variantId: 'v', fromBucket, toBucket }, '0');
    expect([isIn(bucket, bucket + 1), isIn(bucket + 1, 10_000), isIn(0, bucket)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(targetOfVariant(null)).toBe(FULL_AUDIENCE);
  });

  it('rest on SipHash-2-4 with the key 0', () => {
    expect(sipHash64(new Uint8Array())).toBe(0x1e924b9d737700d7n);
  });
});
