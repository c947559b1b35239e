import { and, eq, inArray, lt, sql } from 'drizzle-orm';
import { recordAudit } from '../../../platform/audit/index.js';
import { imports, type ImportProblem, type Transaction } from '../../../platform/database/index.js';

/**
 * Discards what waits or is held of older files of the same source: the newer file has the last word. One that
 * runs is left to its end.
 */
export async function supersedeOlder(
  tx: Transaction,
  newer: { sourceId: string; sequence: number },
): Promise<void> {
  const gone = await tx
    .update(imports)
    .set({ state: 'discarded', finishedAt: sql`now()`, notBefore: null, error: SUPERSEDED })
    .where(
      and(
        eq(imports.sourceId, newer.sourceId),
        lt(imports.sequence, newer.sequence),
        inArray(imports.state, ['queued', 'held']),
      ),
    )
    .returning({ id: imports.id, workspaceId: imports.workspaceId });
  for (const { id, workspaceId } of gone) {
    const object = { type: 'import', id };
    const code = SUPERSEDED.code;
    await recordAudit(tx, { action: 'import.discarded', object, workspaceId, code, byTheWay: true });
  }
}

const SUPERSEDED: ImportProblem = {
  code: 'SUPERSEDED',
  message:
    'A newer file came at the same key before this one was imported; the newer one is imported instead.',
};
