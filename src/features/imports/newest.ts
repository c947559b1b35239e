import { desc, eq } from 'drizzle-orm';
import { HubError } from '../../domain/errors/index.js';
import { imports, type Database, type Transaction } from '../../platform/database/index.js';

/**
 * Throws WRONG_STATE where a newer file has the last word: one at the same key, or one for the same audience
 * where the key is forgotten.
 */
export async function assertNewest(
  db: Database | Transaction,
  row: Pick<typeof imports.$inferSelect, 'id' | 'sourceId' | 'audienceId'>,
): Promise<void> {
  const rivals = rivalsOf(row);
  if (rivals === undefined) return;
  const [newest] = await db
    .select({ id: imports.id })
    .from(imports)
    .where(rivals)
    .orderBy(desc(imports.sequence))
    .limit(1);
  if (newest === undefined || newest.id === row.id) return;
  throw new HubError('WRONG_STATE', `A newer file came at this key; import ${newest.id} has the last word.`);
}

function rivalsOf({ sourceId, audienceId }: Pick<typeof imports.$inferSelect, 'sourceId' | 'audienceId'>) {
  if (sourceId !== null) return eq(imports.sourceId, sourceId);
  return audienceId === null ? undefined : eq(imports.audienceId, audienceId);
}
