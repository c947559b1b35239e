import { and, count, eq, isNull } from 'drizzle-orm';
import { DEFAULT_AUDIENCE_LIMIT } from '../../../domain/audiences/index.js';
import {
  audiences,
  imports,
  sources,
  workspaces,
  type Database,
  type ImportProblem,
  type Transaction,
} from '../../../platform/database/index.js';
import { ImportFailure } from './import-failure.js';
import type { AudienceRow, ImportWork } from './import-work.js';

/**
 * The audience of the import's source: the one it made before, or a new one at version 0 (which shows no
 * members). One transaction that locks the workspace, so the limit holds for imports side by side.
 */
export async function ensureAudience(db: Database, work: ImportWork): Promise<AudienceRow> {
  if (work.audience !== undefined) return work.audience;
  const { row, workspace, source } = work;
  return db.transaction(async (tx) => {
    const made = await insertAudience(tx, {
      workspaceId: workspace.id,
      name: row.audienceName,
      kind: source.kind ?? (source.shape.header ? 'matched' : 'imported'),
    });
    if ('full' in made) throw new ImportFailure(made.full, { again: true });
    const { audience } = made;
    if (row.sourceId)
      await tx.update(sources).set({ audienceId: audience.id }).where(eq(sources.id, row.sourceId));
    await tx.update(imports).set({ audienceId: audience.id }).where(eq(imports.id, row.id));
    return audience;
  });
}

/** A new audience at version 0, or why the workspace takes none. Locks the workspace. */
export async function insertAudience(
  tx: Transaction,
  values: typeof audiences.$inferInsert,
): Promise<{ audience: AudienceRow } | { full: ImportProblem }> {
  const [workspace] = await tx
    .select()
    .from(workspaces)
    .where(eq(workspaces.id, values.workspaceId))
    .for('update');
  if (workspace === undefined) throw new Error('The workspace of the audience is gone.');
  const full = await audienceLimit(tx, workspace);
  if (full !== undefined) return { full };
  const [audience] = await tx.insert(audiences).values(values).returning();
  if (audience === undefined) throw new Error('The audience was not written.');
  return { audience };
}

/** Why the workspace takes no new audience, or undefined where it does. */
export async function audienceLimit(
  db: Database | Transaction,
  { id, settings }: ImportWork['workspace'],
): Promise<ImportProblem | undefined> {
  const limit = settings.audienceLimit ?? DEFAULT_AUDIENCE_LIMIT;
  const [held] = await db
    .select({ n: count() })
    .from(audiences)
    .where(and(eq(audiences.workspaceId, id), isNull(audiences.deletedAt)));
  if ((held?.n ?? 0) < limit) return undefined;
  return {
    code: 'AUDIENCE_LIMIT',
    message: `The workspace holds ${limit} audiences, its limit, so no new one was made. Delete one or raise the limit; the next scan takes this file up again; one that was sent to the hub has to be sent again.`,
  };
}
