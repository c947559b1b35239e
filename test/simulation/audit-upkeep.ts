import { and, eq, gt } from 'drizzle-orm';
import { Reconciler } from '../../src/features/upkeep/reconciliation/reconciler.js';
import { connections, connectionUpkeep } from '../../src/platform/database/index.js';
import type { Meant } from './audit-members.js';
import type { SimList } from './partner-list.js';
import type { World } from './world.js';

const PATIENCE_MS = 60_000;

/** Whoever asked for a backfill has it. */
export async function backfillProblems({ db, workspaceId }: World): Promise<string[]> {
  const rows = await db
    .select({ id: connections.id })
    .from(connectionUpkeep)
    .innerJoin(connections, eq(connections.id, connectionUpkeep.connectionId))
    .where(
      and(
        eq(connections.workspaceId, workspaceId),
        eq(connections.status, 'active'),
        gt(connectionUpkeep.backfillsWanted, connectionUpkeep.backfillsDone),
      ),
    );
  return rows.map(({ id }) => `Connection ${id} has a backfill that nobody does.`);
}

/** The hub finds that partner and hub agree where nobody is lost, and that there are fewer where somebody is. */
export async function countProblems(
  { hub }: World,
  connectionId: string,
  { list, meant }: { list: SimList; meant: Meant },
): Promise<string[]> {
  if (list.shared || list.plugin === 'sim-whole') return [];
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const found = await hub.get(Reconciler).reconcile(connectionId, { tells: true, signal });
  const sent = [...meant].filter(([, identities]) => identities.length > 0).map(([mpid]) => mpid);
  const missing = sent.filter((mpid) => !list.members.has(mpid) && list.lost.has(mpid)).length;
  const isMore = [...list.members.keys()].some((mpid) => !meant.has(mpid));
  // Whoever was refused once may count as not taken.
  const isUnsure = isMore || list.wasRefused;
  const wanted = missing > 0 ? 'fewer' : 'agrees';
  if (found?.verdict === wanted || (isUnsure && found?.verdict !== 'uncounted')) return [];
  const { verdict, hub: ours, partner: theirs, problem } = found ?? {};
  return [
    `Connection ${connectionId} to ${list.id} is said to have ${verdict} (${theirs} there, ${ours} here, ${problem?.code}), not ${wanted}.`,
  ];
}
