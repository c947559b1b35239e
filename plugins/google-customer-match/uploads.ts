import { z } from 'zod';
import {
  type BatchResult,
  ConnectorError,
  fault,
  isConnectorError,
  type UnnamedRejects,
} from '../../src/kit/index.js';
import { type ApiContext, call, read } from './api.js';

/** What an upload was, kept as the id of its job: Google is asked by the ids of its requests only. */
export interface Upload {
  /** When it was taken, milliseconds since the epoch. */
  takenAtMs: number;
  members: number;
  requests: readonly string[];
}

const counted = z.coerce.number().int().nonnegative().default(0);
const status = z.object({
  requestStatusPerDestination: z
    .array(
      z.looseObject({
        requestStatus: z.string().default('REQUEST_STATUS_UNKNOWN'),
        errorInfo: z
          .looseObject({
            errorCounts: z
              .array(z.object({ recordCount: counted, reason: z.string().default('') }))
              .default([]),
          })
          .optional(),
        warningInfo: z
          .looseObject({
            warningCounts: z
              .array(z.object({ recordCount: counted, reason: z.string().default('') }))
              .default([]),
          })
          .optional(),
      }),
    )
    .default([]),
});

type Destination = z.output<typeof status>['requestStatusPerDestination'][number];

const HOUR_MS = 3_600_000;
/** Reference and guide of the API call it differently. */
const FAILED: ReadonlySet<string> = new Set(['FAILED', 'FAILURE']);
const DONE: ReadonlySet<string> = new Set(['SUCCESS', 'PARTIAL_SUCCESS', ...FAILED]);
/** Reasons that are not the members': what the account or the settings say of consent. */
const OF_CONSENT: ReadonlySet<string> = new Set(['DENIED_CONSENT', 'NO_CONSENT', 'UNKNOWN_CONSENT']);
const OF_GOOGLE: ReadonlySet<string> = new Set(['INTERNAL_ERROR', 'UNSPECIFIED']);

export function jobOf({ takenAtMs, members, requests }: Upload): string {
  return [takenAtMs, members, ...requests.map((one) => encodeURIComponent(one))].join(' ');
}

export function uploadOf(job: string): Upload {
  const [takenAt, members, ...requests] = job.split(' ');
  return {
    takenAtMs: Number(takenAt),
    members: Number(members),
    requests: requests.map((one) => decodeURIComponent(one)),
  };
}

/** Milliseconds from the taking of an upload to the first look at it. */
export function firstLookMs({ settings }: ApiContext): number {
  return settings.statusAfterSeconds * 1000;
}

/** What became of an upload: of all its requests together. */
export async function askForUpload(ctx: ApiContext, job: string): Promise<BatchResult> {
  const upload = uploadOf(job);
  const ageMs = Math.max(0, ctx.now().getTime() - upload.takenAtMs);
  const pending = { status: 'pending', jobId: job, pollAfterMs: nextLookMs(ctx, ageMs) } as const;
  const destinations: Destination[] = [];
  for (const request of upload.requests) {
    const answer = await statusOf(ctx, request, ageMs);
    if (answer === 'unknown yet') return pending;
    if (answer instanceof ConnectorError) return { status: 'again', because: answer };
    destinations.push(...answer);
    if (answer.length === 0 || answer.some(({ requestStatus }) => !DONE.has(requestStatus))) return pending;
  }
  tellOfWarnings(ctx, destinations);
  return outcomeOf(upload, destinations);
}

/** Half as long again as it took so far, within an hour: Google advises ever longer pauses. */
function nextLookMs(ctx: ApiContext, ageMs: number): number {
  return Math.min(Math.max(ageMs / 2, firstLookMs(ctx) - ageMs, 1000), HOUR_MS);
}

async function statusOf(
  ctx: ApiContext,
  requestId: string,
  ageMs: number,
): Promise<Destination[] | 'unknown yet' | ConnectorError> {
  try {
    const path = `requestStatus:retrieve?requestId=${encodeURIComponent(requestId)}`;
    return read(await call(ctx, 'GET', path), status).requestStatusPerDestination;
  } catch (error) {
    // How long after the taking a status can be asked for, and for how long, Google does not say.
    if (!isConnectorError(error) || !UNKNOWN.has(error.code)) throw error;
    if (ageMs < Math.max(HOUR_MS, 2 * firstLookMs(ctx))) return 'unknown yet';
    return fault.retryable(
      'GOOGLE_FAILED',
      `Google knows nothing of an upload that it took. ${error.message}`,
    );
  }
}

const UNKNOWN: ReadonlySet<string> = new Set(['LIST_GONE', 'GOOGLE_REFUSED']);

function outcomeOf({ members }: Upload, destinations: readonly Destination[]): BatchResult {
  const failed = destinations.filter(({ requestStatus }) => requestStatus !== 'SUCCESS');
  if (failed.length === 0) return { status: 'done', rejected: [] };
  const counts = countsOf(failed);
  const allFailed = destinations.every(({ requestStatus }) => FAILED.has(requestStatus));
  if (!allFailed) return { status: 'done', rejected: [], unnamed: unnamedOf(counts, members) };
  const reasons = [...counts.keys()];
  if (reasons.every((reason) => OF_CONSENT.has(reason)) && reasons.length > 0) {
    return { status: 'again', because: withoutConsent(reasons) };
  }
  if (reasons.every((reason) => OF_GOOGLE.has(reason))) {
    return {
      status: 'again',
      because: fault.retryable('GOOGLE_FAILED', 'Google took an upload and then failed with all of it.'),
    };
  }
  return { status: 'done', rejected: [], unnamed: unnamedOf(counts, members, members) };
}

/** Records by reason, without the word that begins all reasons. */
function countsOf(destinations: readonly Destination[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { errorInfo } of destinations) {
    for (const { reason, recordCount } of errorInfo?.errorCounts ?? []) {
      const word = reason.replace(/^PROCESSING_ERROR_(?:REASON_)?/, '');
      const known = /^[A-Z][A-Z0-9_]{2,100}$/.test(word) ? word : 'UNSPECIFIED';
      if (recordCount > 0) counts.set(known, (counts.get(known) ?? 0) + recordCount);
    }
  }
  return counts;
}

/**
 * Google counts and names nobody. A record may have several reasons, so that there may be more of them than members;
 * counts may be absent, and then it was one at least. `least`: so many it was in any case.
 */
function unnamedOf(counts: ReadonlyMap<string, number>, members: number, least = 1): UnnamedRejects[] {
  const rejects: UnnamedRejects[] = [];
  let left = members;
  for (const [reason, count] of [...counts].sort(([, one], [, other]) => other - one)) {
    const own = Math.min(count, left);
    left -= own;
    if (own > 0) rejects.push(rejectOf(reason, own));
  }
  const missing = Math.min(left, least - (members - left));
  return missing > 0 ? [...rejects, rejectOf('UNSPECIFIED', missing)] : rejects;
}

function rejectOf(reason: string, count: number): UnnamedRejects {
  const message =
    MESSAGES[reason] ?? 'Google could not take some members of the upload, and does not say whom.';
  return { count, code: reason, message };
}

const MESSAGES: Readonly<Record<string, string>> = {
  DENIED_CONSENT: 'The person, or the default of the account, denies that their data is used for ads.',
  NO_CONSENT: 'The account does not let Google’s advertising services use its data.',
  UNKNOWN_CONSENT: 'Neither the upload nor the account says whether the person consented.',
  INTERNAL_ERROR: 'Google failed with some members of the upload, and does not say with whom.',
};

function withoutConsent(reasons: readonly string[]): ConnectorError {
  return fault.config(
    'CONSENT_MISSING',
    `Google took nobody of an upload for want of consent (${reasons.join(', ')}). Set adUserData and ` +
      'adPersonalization of the output as the people consented, or the defaults of the account in Google Ads.',
  );
}

function tellOfWarnings(ctx: ApiContext, destinations: readonly Destination[]): void {
  for (const { warningInfo } of destinations) {
    for (const { reason, recordCount } of warningInfo?.warningCounts ?? []) {
      const word = /^[A-Z][A-Z0-9_]{2,100}$/.test(reason) ? reason : 'UNSPECIFIED';
      ctx.log.warn('Google took members of an upload with a warning', { reason: word, records: recordCount });
    }
  }
}
