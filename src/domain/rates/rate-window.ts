/** A rate as partners state it. */
export interface RateLimit {
  requests: number;
  perSeconds: number;
}

/** Requests that were let go close to each other. Milliseconds of the clock that keeps the budget. */
export interface GrantRun {
  firstMs: number;
  /** The latest of them stands for all: a run is let go of as a whole, never too early. */
  lastMs: number;
  count: number;
}

/** What is remembered of the requests to one partner account. */
export interface BudgetState {
  /** Oldest first. */
  runs: readonly GrantRun[];
  /** How long runs are kept: the longest window of those who ask. */
  keepMs: number;
  /** The partner asked to be left alone until then; 0: it did not. */
  pausedUntilMs: number;
}

/** May one more request go? If not, ask again after `waitMs`. `paused`: because the partner said so. */
export type BudgetAnswer = { granted: true } | { granted: false; waitMs: number; paused: boolean };

export const FRESH_BUDGET: BudgetState = Object.freeze({ runs: [], keepMs: 0, pausedUntilMs: 0 });

/**
 * Requests do not reach the partner in the instant in which they are let go, and some take longer than others: by
 * so much of the window may two of them draw closer on their way.
 */
const SLACK = 0.05;

/** A run is at most this part of the window long, so that a budget of any size is a short list. */
const RUNS_A_WINDOW = 64;

/** Longest pause a partner can ask for: beyond a day it is a mistake. */
export const MAX_PAUSE_MS = 24 * 3_600_000;

/** How long a request counts, in milliseconds. */
export function windowMsOf({ perSeconds }: RateLimit): number {
  return Math.ceil(perSeconds * 1000 * (1 + SLACK));
}

/**
 * A sliding window: no more than `requests` in any span of `perSeconds`, wherever it begins, and so in every window
 * of a partner that counts by the clock; all at once where none went before. What is lost to slack and runs is less
 * than 7 % of the rate.
 *
 * @param limit undefined: only a pause holds requests back
 * @returns the answer, and what is to be remembered instead of `state`
 */
export function askBudget(
  state: BudgetState,
  limit: RateLimit | undefined,
  nowMs: number,
): { answer: BudgetAnswer; state: BudgetState } {
  if (state.pausedUntilMs > nowMs) {
    return { answer: { granted: false, waitMs: state.pausedUntilMs - nowMs, paused: true }, state };
  }
  if (!limit) return { answer: { granted: true }, state };
  const windowMs = windowMsOf(limit);
  const kept = keep(state, windowMs, nowMs);
  const waitMs = waitFor(kept.runs, limit, windowMs, nowMs);
  if (waitMs > 0) return { answer: { granted: false, waitMs, paused: false }, state: kept };
  return { answer: { granted: true }, state: { ...kept, runs: withOneMore(kept, nowMs) } };
}

/** Holds everything back for `pauseMs`; a longer pause stays. */
export function pauseBudget(state: BudgetState, pauseMs: number, nowMs: number): BudgetState {
  const untilMs = nowMs + Math.min(Math.max(Math.ceil(pauseMs), 0), MAX_PAUSE_MS);
  return { ...state, pausedUntilMs: Math.max(state.pausedUntilMs, untilMs) };
}

/** Without what has run out. A clock that was set back leaves runs of the future: they count as of now. */
function keep(state: BudgetState, windowMs: number, nowMs: number): BudgetState {
  const longestMs = Math.max(state.keepMs, windowMs);
  const runs = state.runs
    .filter(({ lastMs }) => lastMs + longestMs > nowMs)
    .map((run) => ({
      ...run,
      firstMs: Math.min(run.firstMs, nowMs),
      lastMs: Math.min(run.lastMs, nowMs),
    }));
  return { ...state, runs, keepMs: runs.length === 0 ? windowMs : longestMs };
}

/** Milliseconds until so many requests have run out that one more may go. */
function waitFor(
  runs: readonly GrantRun[],
  { requests }: RateLimit,
  windowMs: number,
  nowMs: number,
): number {
  const counted = runs.filter(({ lastMs }) => lastMs + windowMs > nowMs);
  let over = counted.reduce((sum, { count }) => sum + count, 0) - Math.max(1, requests) + 1;
  for (const { lastMs, count } of counted) {
    if (over <= 0) break;
    over -= count;
    if (over <= 0) return lastMs + windowMs - nowMs;
  }
  return 0;
}

function withOneMore({ runs, keepMs }: BudgetState, nowMs: number): GrantRun[] {
  const last = runs.at(-1);
  if (last && nowMs - last.firstMs < Math.floor(keepMs / RUNS_A_WINDOW)) {
    return [...runs.slice(0, -1), { ...last, lastMs: nowMs, count: last.count + 1 }];
  }
  return [...runs, { firstMs: nowMs, lastMs: nowMs, count: 1 }];
}
