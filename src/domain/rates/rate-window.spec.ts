import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  askBudget,
  FRESH_BUDGET,
  pauseBudget,
  windowMsOf,
  type BudgetState,
  type RateLimit,
} from './index.js';

const limits = fc.record({
  requests: fc.integer({ min: 1, max: 40 }),
  perSeconds: fc.integer({ min: 1, max: 120 }),
});

/** Asks whenever it is told to, after pauses of its own, and gives the moments at which requests went. */
function grants(limit: RateLimit, pausesMs: readonly number[]): number[] {
  let state: BudgetState = FRESH_BUDGET;
  let nowMs = 1_700_000_000_000;
  return pausesMs.map((pauseMs) => {
    nowMs += pauseMs;
    for (;;) {
      const asked = askBudget(state, limit, nowMs);
      ({ state } = asked);
      if (asked.answer.granted) return nowMs;
      nowMs += asked.answer.waitMs;
    }
  });
}

describe('a rate budget', () => {
  it('never lets more go in any span of the limit, however they are asked for, with slack for their way', () => {
    fc.assert(
      fc.property(limits, fc.array(fc.nat({ max: 20_000 }), { maxLength: 120 }), (limit, pausesMs) => {
        const wentMs = grants(limit, pausesMs);
        for (const [index, moment] of wentMs.entries()) {
          const earlier = wentMs[index - limit.requests];
          if (earlier !== undefined)
            expect(moment - earlier).toBeGreaterThanOrEqual(limit.perSeconds * 1000 * 1.05);
        }
      }),
    );
  });

  it('never oversteps a partner that counts by windows of the clock, wherever they begin', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.nat({ max: 20_000 }), { maxLength: 120 }),
        fc.nat({ max: 120_000 }),
        fc.float({ min: 0, max: Math.fround(0.05), noNaN: true }),
        (limit, pausesMs, offsetMs, late) => {
          const windowMs = limit.perSeconds * 1000;
          const counts = new Map<number, number>();
          for (const [index, moment] of grants(limit, pausesMs).entries()) {
            // Every other request is late by up to the slack.
            const arrivalMs = moment + (index % 2) * late * windowMs;
            const window = Math.floor((arrivalMs + offsetMs) / windowMs);
            counts.set(window, (counts.get(window) ?? 0) + 1);
          }
          for (const count of counts.values()) expect(count).toBeLessThanOrEqual(limit.requests);
        },
      ),
    );
  });

  it('takes at most a tenth longer than the best possible for as many as one likes', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 400 }), (limit, count) => {
        const wentMs = grants(limit, Array<number>(count).fill(0));
        const tookMs = (wentMs.at(-1) ?? 0) - (wentMs[0] ?? 0);
        const bestMs = Math.floor((count - 1) / limit.requests) * limit.perSeconds * 1000;
        expect(tookMs).toBeLessThanOrEqual(bestMs * 1.1);
      }),
    );
  });

  it('says no shorter wait than is needed, also where those who ask keep to other limits', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(limits, fc.nat({ max: 3000 })), { maxLength: 60 }), (asked) => {
        let state: BudgetState = FRESH_BUDGET;
        let nowMs = 1_700_000_000_000;
        for (const [limit, pauseMs] of asked) {
          nowMs += pauseMs;
          const first = askBudget(state, limit, nowMs);
          if (first.answer.granted) ({ state } = first);
          else {
            nowMs += first.answer.waitMs;
            const second = askBudget(first.state, limit, nowMs);
            expect(second.answer).toEqual({ granted: true });
            ({ state } = second);
          }
        }
      }),
    );
  });

  it('counts what another limit with a longer window still remembers within its own window only', () => {
    const [long, short] = [
      { requests: 100, perSeconds: 60 },
      { requests: 1, perSeconds: 1 },
    ];
    const nowMs = 1_700_000_000_000;
    const { state } = askBudget(FRESH_BUDGET, long, nowMs);
    expect(askBudget(state, short, nowMs + windowMsOf(short) - 1).answer).toMatchObject({ granted: false });
    expect(askBudget(state, short, nowMs + windowMsOf(short)).answer).toEqual({ granted: true });
  });

  it('remembers for the longest window while something is left of it, and then for its own', () => {
    const [long, short] = [
      { requests: 5, perSeconds: 60 },
      { requests: 5, perSeconds: 1 },
    ];
    const nowMs = 1_700_000_000_000;
    const { state } = askBudget(FRESH_BUDGET, long, nowMs);
    expect(askBudget(state, short, nowMs + 2000).state.keepMs).toBe(windowMsOf(long));
    const over = askBudget(state, short, nowMs + windowMsOf(long)).state;
    expect(over.keepMs).toBe(windowMsOf(short));
    expect(over.runs).toHaveLength(1);
  });

  it('uses nine tenths of the rate where requests trickle in evenly', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 500 }), (limit, everyMs) => {
        const windows = 4;
        const count = Math.min(limit.requests * windows, 160);
        const wentMs = grants(limit, Array<number>(count).fill(everyMs));
        const tookMs = (wentMs.at(-1) ?? 0) - (wentMs[0] ?? 0);
        const evenMs = Math.max((count * limit.perSeconds * 1000) / limit.requests, count * everyMs);
        expect(tookMs * 0.9).toBeLessThanOrEqual(evenMs);
      }),
    );
  });

  it('remembers a short list, however many requests a window has', () => {
    let state: BudgetState = FRESH_BUDGET;
    for (let index = 0; index < 5000; index += 1) {
      ({ state } = askBudget(state, { requests: 100_000, perSeconds: 60 }, index * 30));
    }
    expect(state.runs.length).toBeLessThanOrEqual(66);
    expect(state.runs.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(63_000 / 30 - 1);
  });

  it('holds everybody back while the partner asked for a pause, and no longer', () => {
    const paused = pauseBudget(pauseBudget(FRESH_BUDGET, 5000, 1000), 2000, 1000);
    expect(askBudget(paused, undefined, 5999).answer).toEqual({ granted: false, waitMs: 1, paused: true });
    expect(askBudget(paused, undefined, 6000).answer).toEqual({ granted: true });
    expect(pauseBudget(FRESH_BUDGET, Number.POSITIVE_INFINITY, 0).pausedUntilMs).toBe(86_400_000);
  });

  it('waits one window at most where the clock was set back', () => {
    const limit = { requests: 1, perSeconds: 10 };
    const { state } = askBudget(FRESH_BUDGET, limit, 1_000_000_000);
    const { answer } = askBudget(state, limit, 0);
    expect(answer).toEqual({ granted: false, waitMs: windowMsOf(limit), paused: false });
  });

  it('counts the requests of one account under all limits that are asked for', () => {
    let { state } = askBudget(FRESH_BUDGET, { requests: 2, perSeconds: 60 }, 0);
    ({ state } = askBudget(state, { requests: 5, perSeconds: 1 }, 30_000));
    const { answer } = askBudget(state, { requests: 2, perSeconds: 60 }, 30_001);
    expect(answer).toEqual({ granted: false, waitMs: 32_999, paused: false });
  });
});
