import type { Held, Leases } from '../../platform/lease/index.js';

/**
 * Runs `work` as the only one that writes versions of an audience: from the deletion of what lies above the published
 * version to the transaction that publishes the next one. Look at the published version inside: it may have moved.
 */
export function inAudienceTurn<T>(
  leases: Leases,
  audienceId: number,
  signal: AbortSignal,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  return leases.exclusively(`audience-versions:${audienceId}`, signal, work);
}

/** Name of the right to register identities of a workspace, or to erase them. */
export const identityLease = (workspace: number): string => `identities:${workspace}`;
