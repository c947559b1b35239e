import { and, count, eq, isNull } from 'drizzle-orm';
import { DEFAULT_AUDIENCE_LIMIT } from '../../../domain/audiences/index.js';
import { audiences, imports, sources, workspaces, type Database } from '../../../platform/database/index.js';
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
    await tx
      .select({ id: workspaces.id })
      .from(workspaces)
      .where(eq(workspaces.id, workspace.id))
      .for('update');
    const limit = workspace.settings.audienceLimit ?? DEFAULT_AUDIENCE_LIMIT;
    const [held] = await tx
      .select({ n: count() })
      .from(audiences)
      .where(and(eq(audiences.workspaceId, workspace.id), isNull(audiences.deletedAt)));
    if ((held?.n ?? 0) >= limit) throw overLimit(limit);
    const [audience] = await tx
      .insert(audiences)
      .values({
        workspaceId: workspace.id,
        name: row.audienceName,
        kind: source.shape.header ? 'matched' : 'imported',
      })
      .returning();
    if (audience === undefined) throw new Error('The audience was not written.');
    if (row.sourceId)
      await tx.update(sources).set({ audienceId: audience.id }).where(eq(sources.id, row.sourceId));
    await tx.update(imports).set({ audienceId: audience.id }).where(eq(imports.id, row.id));
    return audience;
  });
}

function overLimit(limit: number): ImportFailure {
  return new ImportFailure(
    {
      code: 'AUDIENCE_LIMIT',
      message: `The workspace holds ${limit} audiences, its limit, so no new one was made. Delete one or raise the limit; the next scan takes this file up again.`,
    },
    { again: true },
  );
}
