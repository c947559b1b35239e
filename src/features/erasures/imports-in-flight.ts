import { and, eq, inArray, lt, sql } from 'drizzle-orm';
import { imports, type Database } from '../../platform/database/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { dropWorkTables } from '../imports/index.js';

/** Steps after which an import knows whose its rows are, or is finding out. */
const KNOWING = ['resolve', 'diff', 'guard', 'commit', 'publish'] as const;

/**
 * Imports that found their people before `revision` of the workspace's suppressions. Those that wait (for their turn, or
 * for somebody to release them) are sent back to where they find them, and what held ones keep of people is dropped;
 * returns how many run, and are to be waited for: they look again at their next step.
 */
export async function importsInFlight(
  { db, warehouse }: { db: Database; warehouse: Warehouse },
  workspaceId: string,
  revision: number,
): Promise<number> {
  const older = and(
    eq(imports.workspaceId, workspaceId),
    inArray(imports.step, [...KNOWING]),
    lt(sql`coalesce((${imports.progress} ->> 'suppressions')::int, 0)`, revision),
  );
  await db
    .update(imports)
    .set({ step: 'stage' })
    .where(and(older, inArray(imports.state, ['queued', 'held'])));
  const held = await db
    .select({ id: imports.id })
    .from(imports)
    .where(and(eq(imports.workspaceId, workspaceId), eq(imports.state, 'held'), eq(imports.step, 'stage')));
  for (const { id } of held) await dropWorkTables(warehouse, id);
  return db.$count(imports, and(older, eq(imports.state, 'running')));
}
