import { sqlString } from '../sql-text.js';
import { sipHash64OfPair } from './sip-hash.js';

/** Buckets of an A/B test: hundredths of a percent. */
export const BUCKETS = 10_000;

/** The part of an audience that a connection sends or an export holds. Buckets are half-open: from ≤ bucket < to. */
export type AudienceTarget =
  | { kind: 'all' }
  | { kind: 'variant'; testId: string; variantId: string; fromBucket: number; toBucket: number };

export const FULL_AUDIENCE: AudienceTarget = Object.freeze({ kind: 'all' });

/**
 * SQL (UInt16) of a profile's bucket in a test, 0 to 9,999: a hash of test and profile. So a profile keeps its
 * variant for ever, whatever is imported, and tests are independent of each other.
 *
 * @param mpidSql an Int64 expression
 */
export function bucketSql(testId: string, mpidSql: string): string {
  return `toUInt16(sipHash64(${sqlString(testId)}, toInt64(${mpidSql})) % ${BUCKETS})`;
}

/** The same number as {@link bucketSql}, for one profile. `mpid`: decimal text of a signed 64-bit number. */
export function bucketOf(testId: string, mpid: string): number {
  return Number(sipHash64OfPair(testId, BigInt(mpid)) % BigInt(BUCKETS));
}

/** SQL condition: is the profile in `target`? */
export function inTargetSql(target: AudienceTarget, mpidSql: string): string {
  if (target.kind === 'all') return '1';
  const bucket = bucketSql(target.testId, mpidSql);
  return `(${bucket} >= ${target.fromBucket} AND ${bucket} < ${target.toBucket})`;
}

/** Is the profile in `target`? The twin of {@link inTargetSql}. */
export function isInTarget(target: AudienceTarget, mpid: string): boolean {
  if (target.kind === 'all') return true;
  const bucket = bucketOf(target.testId, mpid);
  return bucket >= target.fromBucket && bucket < target.toBucket;
}

/** A variant as it is kept. */
export interface VariantRange {
  id: string;
  testId: string;
  fromBucket: number;
  toBucket: number;
}

/** What a connection or an export with this variant holds; null: the full audience. */
export function targetOfVariant(variant: VariantRange | null): AudienceTarget {
  if (variant === null) return FULL_AUDIENCE;
  const { id: variantId, testId, fromBucket, toBucket } = variant;
  return { kind: 'variant', testId, variantId, fromBucket, toBucket };
}
