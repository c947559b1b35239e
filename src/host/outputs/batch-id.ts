import { createHash } from 'node:crypto';

/** What makes a batch the same batch. */
export interface BatchIdentity {
  connectionId: string;
  fromVersion: number;
  toVersion: number;
  operation: string;
  /** What else tells it from a batch of the same members between the same versions. */
  run?: string | undefined;
  /** First and last member, decimal strings: a part of a taken-apart batch is a batch of its own. */
  firstMpid: string;
  lastMpid: string;
}

/** The batch's id, 32 hex digits. The same batch sent again has the same id, whoever sends it. */
export function batchIdOf(batch: BatchIdentity): string {
  const { connectionId, fromVersion, toVersion, operation, firstMpid, lastMpid, run } = batch;
  return createHash('sha256')
    .update(
      [connectionId, fromVersion, toVersion, operation, firstMpid, lastMpid, ...(run ? [run] : [])].join('|'),
    )
    .digest('hex')
    .slice(0, 32);
}

/** Stands for all of `mpids`, in a batch's `run`: 32 hex digits. */
export function namesOf(mpids: readonly string[]): string {
  return createHash('sha256').update(mpids.join()).digest('hex').slice(0, 32);
}
