import { and, eq, notInArray, sql } from 'drizzle-orm';
import { sharedAttributes } from '../../../domain/identities/index.js';
import { connections, type Database } from '../../../platform/database/index.js';

/** Keys of the attributes that any connection of the workspace shares with its partner. */
export async function sharedKeys(db: Database, workspaceId: string): Promise<Set<string>> {
  const rows = await db
    .selectDistinct({ attributes: connections.attributes })
    .from(connections)
    .where(
      and(
        eq(connections.workspaceId, workspaceId),
        notInArray(connections.status, ['removing', 'removed']),
        sql`${connections.attributes} <> '[]'::jsonb`,
      ),
    );
  return new Set(rows.flatMap(({ attributes }) => sharedAttributes(attributes).map(({ key }) => key)));
}
