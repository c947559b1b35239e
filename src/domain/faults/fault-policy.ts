import type { FaultKind } from '../../kit/index.js';

/** What the hub does about each kind of fault: one exhaustive table, followed by {@link nextStep}. */
export interface FaultPolicy {
  /** `backoff`: exponential with jitter; `at_retry_after`: when the partner said; `once`: one more try. */
  retry: 'backoff' | 'at_retry_after' | 'once' | 'never';
  /** What becomes of the connection once retrying is over. */
  connection: 'faulted' | 'stays_active';
  /** When a fault row is written; `now`: with the first failure that is not retried. */
  faultRow: 'after_last_try' | 'after_an_hour' | 'now' | 'over_reject_threshold';
  /** True where a half-open probe resumes the connection by itself. */
  probed: boolean;
  /** Who acts, in words for people. */
  whoActs: string;
}

export const FAULT_POLICIES: Readonly<Record<FaultKind, FaultPolicy>> = {
  retryable: {
    retry: 'backoff',
    connection: 'faulted',
    faultRow: 'after_last_try',
    probed: true,
    whoActs: 'Nobody: a probe resumes it as soon as the partner answers. Resume tries at once.',
  },
  rate_limited: {
    retry: 'at_retry_after',
    connection: 'faulted',
    faultRow: 'after_an_hour',
    probed: true,
    whoActs: 'Nobody: sending goes on when the partner allows it.',
  },
  auth: {
    retry: 'never',
    connection: 'faulted',
    faultRow: 'now',
    probed: false,
    whoActs: 'An admin reconnects the output, then resumes.',
  },
  config: {
    retry: 'never',
    connection: 'faulted',
    faultRow: 'now',
    probed: false,
    whoActs: 'An admin mends the settings, then resumes.',
  },
  permanent: {
    retry: 'never',
    connection: 'stays_active',
    faultRow: 'over_reject_threshold',
    probed: false,
    whoActs: 'An admin mends the data; only the refused rows are affected.',
  },
  unexpected: {
    retry: 'once',
    connection: 'faulted',
    faultRow: 'now',
    probed: false,
    whoActs: 'The makers of the plugin or the hub: the log has the stack. Resume tries again.',
  },
};

/** A call that failed, with the row of failures it ends. */
export interface Failure {
  kind: FaultKind;
  /** Failed tries in a row, this one included: 1 after the first. */
  failures: number;
  /** When the first of the row failed, milliseconds since the epoch. */
  firstFailureAtMs: number;
  /** Milliseconds the partner asked to be left alone. */
  retryAfterMs?: number;
}

/** What to do after a failure. `nextProbeAtMs` only where a probe will try by itself. */
export type NextStep =
  { action: 'retry'; atMs: number } | { action: 'fault'; nextProbeAtMs?: number } | { action: 'reject' };

/** How patient retries and probes are. Milliseconds. */
export interface RetryPacing {
  maxTries: number;
  baseDelayMs: number;
  maxDelayMs: number;
  /** A rate limit or outage that lasts longer becomes a fault, however few the tries. */
  faultAfterMs: number;
  baseProbeMs: number;
  maxProbeMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Eight tries over about two minutes, then a probe after five minutes and at least once an hour. */
export const DEFAULT_PACING: RetryPacing = {
  maxTries: 8,
  baseDelayMs: 1000,
  maxDelayMs: 5 * MINUTE_MS,
  faultAfterMs: HOUR_MS,
  baseProbeMs: 5 * MINUTE_MS,
  maxProbeMs: HOUR_MS,
};

/** Longest pause a partner can ask for: beyond a day, a Retry-After is a mistake. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

/**
 * Decides what happens after a failed call.
 *
 * @param nowMs milliseconds since the epoch
 * @param random 0 ≤ random < 1; jitter, so that many connections do not return at the same instant
 */
export function nextStep(
  failure: Failure,
  nowMs: number,
  random: number,
  pacing: RetryPacing = DEFAULT_PACING,
): NextStep {
  switch (FAULT_POLICIES[failure.kind].retry) {
    case 'backoff':
      return failure.failures < pacing.maxTries
        ? retryWithinTheHour(failure, nowMs, random, pacing)
        : faulted(failure, nowMs, random, pacing);
    case 'at_retry_after':
      return retryWithinTheHour(failure, nowMs, random, pacing);
    case 'once':
      return failure.failures <= 1
        ? { action: 'retry', atMs: nowMs + pauseMs(failure, random, pacing) }
        : faulted(failure, nowMs, random, pacing);
    case 'never':
      return FAULT_POLICIES[failure.kind].connection === 'stays_active'
        ? { action: 'reject' }
        : faulted(failure, nowMs, random, pacing);
  }
}

/**
 * When a faulted connection is tried with one call; undefined for kinds that need an admin.
 *
 * @param probes probes made so far since the fault was raised
 */
export function nextProbeAtMs(
  kind: FaultKind,
  probes: number,
  nowMs: number,
  random: number,
  pacing: RetryPacing = DEFAULT_PACING,
): number | undefined {
  if (!FAULT_POLICIES[kind].probed) return undefined;
  return nowMs + jittered(pacing.baseProbeMs, probes, pacing.maxProbeMs, random);
}

/** What is known to outlast the hour is a fault at once: nobody should wait that long without being told. */
function retryWithinTheHour(failure: Failure, nowMs: number, random: number, pacing: RetryPacing): NextStep {
  const atMs = nowMs + pauseMs(failure, random, pacing);
  const lastsMs = atMs - failure.firstFailureAtMs;
  return lastsMs <= pacing.faultAfterMs ? { action: 'retry', atMs } : faulted(failure, nowMs, random, pacing);
}

/** The first probe comes no earlier than the partner allows. */
function faulted(failure: Failure, nowMs: number, random: number, pacing: RetryPacing): NextStep {
  const probeAtMs = nextProbeAtMs(failure.kind, 0, nowMs, random, pacing);
  if (probeAtMs === undefined) return { action: 'fault' };
  const allowedAtMs = nowMs + askedPauseMs(failure);
  return { action: 'fault', nextProbeAtMs: Math.max(probeAtMs, allowedAtMs) };
}

/** The longer of our own backoff and what the partner asked for. */
function pauseMs(failure: Failure, random: number, pacing: RetryPacing): number {
  const ownMs = jittered(pacing.baseDelayMs, failure.failures - 1, pacing.maxDelayMs, random);
  return Math.max(ownMs, askedPauseMs(failure));
}

function askedPauseMs({ retryAfterMs = 0 }: Failure): number {
  return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
}

/** base × 2^step, capped; between half of it and all of it. */
function jittered(baseMs: number, step: number, maxMs: number, random: number): number {
  const wholeMs = Math.min(baseMs * 2 ** Math.min(Math.max(step, 0), 52), maxMs);
  return Math.round(wholeMs / 2 + (wholeMs / 2) * random);
}

/** Refusals of single rows are a fault (connection stays active) from ten rows and one row in ten on. */
export const REJECT_THRESHOLD = { rows: 10, share: 0.1 } as const;

/** True where a delivery's rejects are so many that people should be told by a fault row. */
export function rejectsNeedFault(counts: { accepted: number; rejected: number }): boolean {
  const sent = counts.accepted + counts.rejected;
  return counts.rejected >= REJECT_THRESHOLD.rows && counts.rejected >= sent * REJECT_THRESHOLD.share;
}
