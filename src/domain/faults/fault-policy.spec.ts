import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FAULT_KINDS } from '../../kit/index.js';
import { DEFAULT_PACING, FAULT_POLICIES, nextProbeAtMs, nextStep, rejectsNeedFault } from './fault-policy.js';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const HOUR_MS = 3_600_000;

function step(
  kind: (typeof FAULT_KINDS)[number],
  failures = 1,
  extra: { retryAfterMs?: number; sinceMs?: number } = {},
) {
  const { retryAfterMs, sinceMs = 0 } = extra;
  return nextStep({ kind, failures, firstFailureAtMs: NOW - sinceMs, retryAfterMs }, NOW, 0.5);
}

describe('the fault policy', () => {
  it('has a row for every kind', () => {
    expect(Object.keys(FAULT_POLICIES).toSorted()).toEqual([...FAULT_KINDS].toSorted());
  });

  it('stops at once where an admin has to act, and no probe follows', () => {
    expect(step('auth')).toEqual({ action: 'fault' });
    expect(step('config')).toEqual({ action: 'fault' });
  });

  it('rejects what the partner refuses for good, and goes on', () => {
    expect(step('permanent', 1)).toEqual({ action: 'reject' });
    expect(step('permanent', 99)).toEqual({ action: 'reject' });
  });

  it('tries the unexpected once more', () => {
    expect(step('unexpected', 1)).toEqual({ action: 'retry', atMs: NOW + 750 });
    expect(step('unexpected', 2)).toEqual({ action: 'fault' });
  });

  it('waits twice as long after each retryable failure, up to the cap, then raises a fault with a probe', () => {
    const delays = [1, 2, 3, 4].map((failures) => {
      const next = step('retryable', failures);
      return next.action === 'retry' ? next.atMs - NOW : undefined;
    });
    expect(delays).toEqual([750, 1500, 3000, 6000]);
    expect(step('retryable', DEFAULT_PACING.maxTries - 1).action).toBe('retry');
    expect(step('retryable', DEFAULT_PACING.maxTries)).toEqual({
      action: 'fault',
      nextProbeAtMs: NOW + 225_000,
    });
  });

  it('honours Retry-After, for rate limits and for outages', () => {
    expect(step('rate_limited', 1, { retryAfterMs: 42_000 })).toEqual({
      action: 'retry',
      atMs: NOW + 42_000,
    });
    expect(step('retryable', 1, { retryAfterMs: 42_000 })).toEqual({ action: 'retry', atMs: NOW + 42_000 });
  });

  it('makes a rate limit a fault only when it lasts over an hour, or is known to', () => {
    expect(step('rate_limited', 500, { sinceMs: HOUR_MS - 600_000 }).action).toBe('retry');
    expect(step('rate_limited', 1, { sinceMs: HOUR_MS - 750 }).action).toBe('retry');
    expect(step('rate_limited', 1, { sinceMs: HOUR_MS - 749 })).toMatchObject({ action: 'fault' });
    expect(step('rate_limited', 2, { sinceMs: HOUR_MS })).toMatchObject({ action: 'fault' });
    expect(step('retryable', 1, { retryAfterMs: 2 * HOUR_MS })).toEqual({
      action: 'fault',
      nextProbeAtMs: NOW + 2 * HOUR_MS,
    });
    const told = step('rate_limited', 1, { retryAfterMs: 2 * HOUR_MS });
    expect(told).toEqual({ action: 'fault', nextProbeAtMs: NOW + 2 * HOUR_MS });
  });

  it('never retries in the past, nor later than the cap or the partner says', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FAULT_KINDS),
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.nat({ max: 10 * HOUR_MS }), { nil: undefined }),
        (kind, failures, random, retryAfterMs) => {
          const next = nextStep({ kind, failures, firstFailureAtMs: NOW, retryAfterMs }, NOW, random);
          if (next.action !== 'retry') return;
          expect(next.atMs).toBeGreaterThanOrEqual(NOW + DEFAULT_PACING.baseDelayMs / 2);
          expect(next.atMs).toBeGreaterThanOrEqual(NOW + (retryAfterMs ?? 0));
          expect(next.atMs).toBeLessThanOrEqual(NOW + Math.max(DEFAULT_PACING.maxDelayMs, retryAfterMs ?? 0));
        },
      ),
    );
  });
});

describe('probes', () => {
  it('come later and later, at least once an hour, for faults that can heal by themselves', () => {
    const minutes = [0, 1, 2, 3, 4, 50].map(
      (probes) => (Number(nextProbeAtMs('retryable', probes, NOW, 0)) - NOW) / 60_000,
    );
    expect(minutes).toEqual([2.5, 5, 10, 20, 30, 30]);
  });

  it.each(['auth', 'config', 'permanent', 'unexpected'] as const)('do not come for %s', (kind) => {
    expect(nextProbeAtMs(kind, 0, NOW, 0)).toBeUndefined();
  });
});

describe('rejects', () => {
  it('are a fault from ten rows and one in ten on', () => {
    expect(rejectsNeedFault({ accepted: 0, rejected: 9 })).toBe(false);
    expect(rejectsNeedFault({ accepted: 0, rejected: 10 })).toBe(true);
    expect(rejectsNeedFault({ accepted: 90, rejected: 10 })).toBe(true);
    expect(rejectsNeedFault({ accepted: 91, rejected: 10 })).toBe(false);
  });
});
