import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { MERGED } from '../../ledger/index.js';
import { countDifferent } from './count-different.js';
import { registerDecisions, type OnTaught } from './decision.js';
import { resolveSeveral, severalNewcomersSql } from './resolve-several.js';
import { resolveSingle, singleNewcomersSql } from './resolve-single.js';
import { isSingle, type StagePlan } from './stage.js';
import type { WorkTables } from './tables.js';

export interface ResolveRequest {
  /** `workspaces.number`. */
  workspace: number;
  tables: WorkTables;
  plan: StagePlan;
  /** Whether ids that no profile has make one, or are only counted. */
  create: boolean;
  /** Hears the number up to which changes of known profiles' identities are whole. */
  onTaught?: OnTaught;
  /** Fewer than 64 only in tests that want collisions. */
  mpidBits?: number;
}

/** Accepted rows by what became of them; rows that are the same person are all counted. */
export interface ResolveCounts {
  matched: number;
  created: number;
  unknown: number;
  /** New profiles, each once. */
  createdProfiles: number;
  /** Matched rows by the strongest identity that found the profile; absent where rows have one identity each. */
  matchedBy?: Partial<Record<IdentityType, number>>;
}

/**
 * Where the profiles of the file's rows stand once it is resolved. `stage`: everybody is new, and the mpid is what
 * the hash stands for; `repeats`: some stand there twice. `table`: in `members`. `rows`: in `rows`.
 */
export type FileMembers = { from: 'stage'; repeats: boolean } | { from: 'table' } | { from: 'rows' };

export interface Resolved {
  counts: ResolveCounts;
  members: FileMembers;
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
): Promise<Resolved> {
  const [identity] = request.plan.mapping.identities;
  if (identity === undefined) throw new Error('A mapping without identities cannot be resolved.');
  await registerDecisions(warehouse, request.workspace, request.onTaught);
  return resolveRows(warehouse, request, identity.type, onCounted);
}

async function resolveRows(
  warehouse: Warehouse,
  request: ResolveRequest,
  type: IdentityType,
  onCounted: OnCounted,
): Promise<Resolved> {
  if (isSingle(request.plan)) return resolveSingle(warehouse, request, type, onCounted);
  return { counts: await resolveSeveral(warehouse, request, onCounted), members: { from: 'rows' } };
}

/**
 * How many rows of the stage are somebody known. Registers nothing, and leaves aside what another import has
 * decided and not registered yet. Only the tables of the request are written.
 */
export async function countKnown(
  warehouse: Warehouse,
  request: Omit<ResolveRequest, 'create'>,
): Promise<Resolved> {
  const [identity] = request.plan.mapping.identities;
  if (identity === undefined) throw new Error('A mapping without identities cannot be resolved.');
  const counted = { ...request, create: false };
  const nobodyHears = async () => undefined;
  return resolveRows(warehouse, counted, identity.type, nobodyHears);
}

/** How many different new people the stage's unknown rows would make. Only after {@link countKnown}. */
export async function countNewPeople(
  warehouse: Warehouse,
  request: Omit<ResolveRequest, 'create'>,
): Promise<number> {
  const [identity] = request.plan.mapping.identities;
  if (identity === undefined) throw new Error('A mapping without identities has no members.');
  const counted = { ...request, create: false };
  const select = isSingle(request.plan)
    ? singleNewcomersSql(counted, identity.type)
    : severalNewcomersSql(counted);
  return countDifferent(warehouse, select, MERGED);
}
