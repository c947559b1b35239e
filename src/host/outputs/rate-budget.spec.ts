import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RateBudget, RateBudgets } from './index.js';

describe('RateBudget', () => {
  it('never allows more than the rate in any window, and allows it all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.nat({ max: 5000 }), { minLength: 1, maxLength: 80 }),
        (requests, perSeconds, pausesMs) => {
          let nowMs = 0;
          const budget = new RateBudget({ requests, perSeconds }, () => nowMs);
          const startsMs = pausesMs.map((pauseMs) => {
            nowMs += pauseMs;
            return nowMs + budget.reserve();
          });
          // A bucket of n lets n pass at once and then one each n-th of the span.
          for (const [index, startMs] of startsMs.entries()) {
            const earlier = startsMs[index - 2 * requests];
            if (earlier !== undefined)
              expect(startMs - earlier).toBeGreaterThanOrEqual(perSeconds * 1000 - 1);
          }
          expect(
            startsMs.slice(0, requests).every((startMs, index) => startMs - 1 <= nowAt(pausesMs, index)),
          ).toBe(true);
        },
      ),
    );
  });

  it('stops waiting when it is told to', async () => {
    const budget = new RateBudget({ requests: 1, perSeconds: 3600 });
    const stop = new AbortController();
    await budget.take(stop.signal);
    const waiting = budget.take(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('is one an output, and new where the limit changed', () => {
    const budgets = new RateBudgets();
    const limit = { requests: 5, perSeconds: 1 };
    const first = budgets.of('output-1', limit);
    expect(budgets.of('output-1', { ...limit })).toBe(first);
    expect(budgets.of('output-2', limit)).not.toBe(first);
    expect(budgets.of('output-1', { requests: 6, perSeconds: 1 })).not.toBe(first);
    expect(budgets.of('output-3', undefined)).toBeUndefined();
  });
});

function nowAt(pausesMs: readonly number[], index: number): number {
  return pausesMs.slice(0, index + 1).reduce((sum, pauseMs) => sum + pauseMs, 0);
}
