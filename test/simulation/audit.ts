import { and, eq, inArray } from 'drizzle-orm';
import { faults, imports } from '../../src/platform/database/index.js';
import { deliveryProblems, repeatProblems } from './audit-deliveries.js';
import { memberProblems } from './audit-members.js';
import { peopleProblems } from './audit-people.js';
import { backfillProblems } from './audit-upkeep.js';
import { profileProblems, profilesOf, teamsOf } from './audit-profiles.js';
import type { World } from './world.js';

/** What is not as it should be, once everything has come to rest. Empty: nothing. */
export async function audit(world: World): Promise<string[]> {
  const profiles = await profilesOf(world);
  const teams = await teamsOf(world);
  return [
    ...seen(world),
    ...(await failedImports(world)),
    ...(await unexpectedFaults(world)),
    ...profileProblems(profiles),
    ...(await deliveryProblems(world)),
    ...(await repeatProblems(world)),
    ...(await backfillProblems(world)),
    ...(await peopleProblems(world, profiles)),
    ...(await memberProblems(world, { profiles, teams })),
  ];
}

/** What is wrong at any moment: nobody has to wait until everything is at rest. */
export function seen({ partner, exportProblems }: World): string[] {
  return [...partner.record.violations, ...exportProblems];
}

async function failedImports({ db, workspaceId }: World): Promise<string[]> {
  const rows = await db
    .select({ error: imports.error })
    .from(imports)
    .where(and(eq(imports.workspaceId, workspaceId), inArray(imports.state, ['failed', 'held'])));
  return rows.map(({ error }) => `An import ended with ${error?.code}: ${error?.message}`);
}

async function unexpectedFaults({ db, workspaceId }: World): Promise<string[]> {
  const rows = await db
    .select({ code: faults.code, message: faults.message, kind: faults.kind })
    .from(faults)
    .where(eq(faults.workspaceId, workspaceId));
  const known = new Set(['LIST_GONE', 'HTTP_401', 'ROWS_REJECTED']);
  return rows
    .filter(({ code, kind }) => !['retryable', 'rate_limited'].includes(kind) && !known.has(code))
    .map(({ code, message }) => `Fault ${code}: ${message}`);
}
