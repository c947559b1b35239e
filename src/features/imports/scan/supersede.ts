import { and, eq, inArray, lt, sql } from 'drizzle-orm';
import {
  imports,
  type Database,
  type ImportProblem,
  type Transaction,
} from '../../../platform/database/index.js';

/**
 * Discards what waits or is held of older files of the same source: the newer file has the last word. One that
 * runs is left to its end.
 */
export async function supersedeOlder(
  db: Database | Transaction,
  newer: { sourceId: string; sequence: number },
): Promise<void> {
  await db
    .update(imports)
    .set({ state: 'discarded', finishedAt: sql`now()`, notBefore: null, error: SUPERSEDED })
    .where(
      and(
        eq(imports.sourceId, newer.sourceId),
        lt(imports.sequence, newer.sequence),
        inArray(imports.state, ['queued', 'held']),
      ),
    );
}

const SUPERSEDED: ImportProblem = {
  code: 'SUPERSEDED',
  message:
    'A newer file came at the same key before this one was imported; the newer one is imported instead.',
};
