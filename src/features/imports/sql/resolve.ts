import type { Warehouse } from '../../../platform/warehouse/index.js';
import { registerDecisions } from './decision.js';
import { resolveSeveral, severalMembersSql } from './resolve-several.js';
import { resolveSingle, singleMembersSql } from './resolve-single.js';
import { isSingle, type StagePlan } from './stage.js';
import type { WorkTables } from './tables.js';

export interface ResolveRequest {
  /** `workspaces.number`. */
  workspace: number;
  tables: WorkTables;
  plan: StagePlan;
  /** Whether ids that no profile has make one, or are only counted. */
  create: boolean;
  /** Fewer than 64 only in tests that want collisions. */
  mpidBits?: number;
}

/** Accepted rows by what became of them; rows that are the same person are all counted. */
export interface ResolveCounts {
  matched: number;
  created: number;
  unknown: number;
  /** New profiles, each once; null: every member of the file is new, so the size of the file's set tells. */
  createdProfiles: number | null;
}

/** Hears the counts before anything is registered: after a crash they could not be told any more. */
export type OnCounted = (counts: ResolveCounts) => Promise<void>;

/**
 * Finds the profile of every accepted row, makes those that are missing (where the input says so) and learns
 * the identities that are new. Run under the workspace's identity lease; run again, it finds what it made.
 */
export async function resolve(
  warehouse: Warehouse,
  request: ResolveRequest,
  onCounted: OnCounted = async () => undefined,
): Promise<ResolveCounts> {
  const [identity] = request.plan.mapping.identities;
  if (identity === undefined) throw new Error('A mapping without identities cannot be resolved.');
  await registerDecisions(warehouse, request.workspace);
  return isSingle(request.plan)
    ? resolveSingle(warehouse, request, identity.type, onCounted)
    : resolveSeveral(warehouse, request, onCounted);
}

/** `SELECT mpid` of the file's profiles, with repetitions. Only after {@link resolve}. */
export function fileMembersSql(request: ResolveRequest): string {
  const [identity] = request.plan.mapping.identities;
  if (identity === undefined) throw new Error('A mapping without identities has no members.');
  return isSingle(request.plan) ? singleMembersSql(request, identity.type) : severalMembersSql(request);
}
