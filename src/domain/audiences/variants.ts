import { sqlString } from '../sql-text.js';

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

/** SQL condition: is the profile in `target`? */
export function inTargetSql(target: AudienceTarget, mpidSql: string): string {
  if (target.kind === 'all') return '1';
  const bucket = bucketSql(target.testId, mpidSql);
  return `(${bucket} >= ${target.fromBucket} AND ${bucket} < ${target.toBucket})`;
}
