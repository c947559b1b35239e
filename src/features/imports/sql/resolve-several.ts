import { priorityOf } from '../../../domain/identities/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { countDifferent } from './count-different.js';
import { dropDecision, isRegistered } from './decision.js';
import type { OnCounted, ResolveCounts, ResolveRequest } from './resolve.js';
import { findConflicts } from './several/conflicts.js';
import { countFound, findKnown, labelRows } from './several/found.js';
import { settleLabels } from './several/labels.js';
import { register } from './several/register.js';

/**
 * Resolves a file whose rows have several identities.
 *
 * 1. A row is the profile of its strongest known identity,
 * 2. unless it brings a stronger one of which that profile already has another value (two people who share a
 *    phone): then it is somebody new.
 * 3. A row that is nobody known is whoever in the file holds its strongest identity: a known person first,
 *    then the row with the strongest identity of all that share it. What is shared only through weaker
 *    identities does not join people.
 *
 * Everything is put in an order, and merged or grouped in that order: by identity to find out who is known, by row to find out
 * whose a row is. So memory stays flat, however large the file is; what has to be sorted is sorted on disk.
 */
export async function resolveSeveral(
  warehouse: Warehouse,
  request: ResolveRequest,
  onCounted: OnCounted,
): Promise<ResolveCounts> {
  if (request.create && (await isRegistered(warehouse, request.tables))) {
    // Those that a former version of the hub made do not say how many say the same.
    await warehouse.command(
      `ALTER TABLE ${request.tables.rows} ADD COLUMN IF NOT EXISTS copies UInt64 DEFAULT 1`,
    );
    const counts = await countRows(warehouse, request);
    await onCounted(counts);
    return counts;
  }
  // It belongs to the `rows` that it was made with; those are about to be made anew.
  await dropDecision(warehouse, request.tables);
  await findKnown(warehouse, request);
  const { known, unknown } = await countFound(warehouse, request);
  // Rows contradict a profile only through what is unknown of them while something else is known.
  const conflicts = known > 0 && unknown > 0 ? await findConflicts(warehouse, request) : undefined;
  await labelRows(warehouse, request, conflicts);
  // Where every identity is known, every row is somebody, and nothing is left to hand on or to learn.
  if (unknown > 0) await settleLabels(warehouse, request);
  const counts = await countRows(warehouse, request);
  await onCounted(counts);
  if (request.create && unknown > 0) await register(warehouse, request);
  return counts;
}

async function countRows(
  warehouse: Warehouse,
  { tables, create, plan }: ResolveRequest,
): Promise<ResolveCounts> {
  const inFile = new Set([...plan.mapping.identities.map(({ type }) => type), ...plan.hashForms]);
  const types = [...inFile];
  const counts = types.map((type) => `sumIf(copies, rank = 0 AND matched_by = ${priorityOf(type)})`);
  const [row] = await warehouse.query<{ matched: string; others: string; by: (string | number)[] }>(
    `SELECT sumIf(copies, rank = 0) AS matched, sumIf(copies, rank = 1) AS others, [${counts.join(', ')}] AS by
     FROM ${tables.rows}`,
    { lane: 'bulk' },
  );
  const others = Number(row?.others ?? 0);
  return {
    matched: Number(row?.matched ?? 0),
    created: create ? others : 0,
    unknown: create ? 0 : others,
    createdProfiles:
      create && others > 0 ? await countDifferent(warehouse, severalNewcomersSql({ tables })) : 0,
    matchedBy: Object.fromEntries(
      types.flatMap((type, index) => {
        const rows = Number(row?.by[index] ?? 0);
        return rows === 0 ? [] : [[type, rows]];
      }),
    ),
  };
}

/** `SELECT mpid` of the profiles in the file, with repetitions. */
export function severalMembersSql({ tables, create }: Pick<ResolveRequest, 'tables' | 'create'>): string {
  return `SELECT mpid FROM ${tables.rows} WHERE ${create ? '1' : 'rank = 0'}`;
}

/** `SELECT hash` of the people in the file that nobody knows, with repetitions. */
export function severalNewcomersSql({ tables }: Pick<ResolveRequest, 'tables'>): string {
  return `SELECT hash FROM ${tables.rows} WHERE rank = 1`;
}
