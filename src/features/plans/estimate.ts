import { windowMsOf } from '../../domain/rates/index.js';
import type { OutputConnector, OutputLimits } from '../../kit/index.js';
import type { PlannedOperation } from '../../platform/database/index.js';
import type { SendCounts } from '../ledger/index.js';

/** What an output can do, as far as a plan asks. */
type Capabilities = Pick<OutputConnector['audience'], 'remove' | 'create'>;

/** Of those who leave, who stays at the partner. */
export interface KeptFigures {
  /** Whom another connection has in the same list; undefined: nobody shares it. */
  inLists: SendCounts | undefined;
  /** Of the others, those of whom somebody else has all values. */
  byValues: number;
}

/** What one operation comes to: who is sent, who is skipped and why, in how many batches. */
export function plannedOperation(
  operation: PlannedOperation['operation'],
  counts: SendCounts,
  {
    audience,
    limits,
    kept = { inLists: undefined, byValues: 0 },
  }: { audience: Capabilities; limits: OutputLimits; kept?: KeptFigures | undefined },
): PlannedOperation {
  const { members, bare, bytes } = counts;
  const { inLists, byValues } = kept;
  const identities = counts.byType.filter((one) => one.members > 0);
  const sendable = members - bare;
  const without = bare > 0 ? [{ code: 'NO_ACCEPTED_IDENTITY', members: bare }] : [];
  if (operation === 'remove' && !audience.remove) {
    const stays = sendable > 0 ? [{ code: 'REMOVE_UNSUPPORTED', members: sendable }] : [];
    return { operation, members, skipped: [...without, ...stays], identities, requests: 0 };
  }
  const shared = inLists ? inLists.members - inLists.bare : 0;
  const sentBytes = bytes - (inLists?.bytes ?? 0);
  const byBytes = limits.batchBytes === undefined ? 0 : Math.ceil(sentBytes / limits.batchBytes);
  // Batches are not filled up with others in the place of who stays.
  const batches = Math.min(Math.ceil(sendable / limits.batchSize), sendable - shared - byValues);
  const requests = Math.max(batches, byBytes);
  const stays = [
    ...(shared > 0 ? [{ code: 'SHARED_LIST', members: shared }] : []),
    ...(byValues > 0 ? [{ code: 'SHARED_IDENTITY', members: byValues }] : []),
  ];
  return { operation, members, skipped: [...without, ...stays], identities, requests };
}

/** Calls besides the batches: making the audience, and the end of a whole state. */
export function otherCalls(audience: Capabilities, isMade: boolean, replacing: boolean): number {
  return Number(audience.create !== undefined && !isMade) + Number(replacing);
}

/**
 * Seconds that so many requests take: by the rate that the output keeps to, and by what a batch took in its last
 * delivery, whichever is longer. Null where neither is known.
 */
export function estimatedSeconds(
  requests: number,
  rateLimit: OutputLimits['rateLimit'],
  secondsPerBatch: number | undefined,
): number | null {
  if (requests === 0) return 0;
  if (!rateLimit && secondsPerBatch === undefined) return null;
  const byRate = rateLimit
    ? (Math.floor((requests - 1) / rateLimit.requests) * windowMsOf(rateLimit)) / 1000
    : 0;
  return Math.ceil(Math.max(byRate, requests * (secondsPerBatch ?? 0)));
}
