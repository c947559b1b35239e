import { eq, sql } from 'drizzle-orm';
import { workspaces, type Database } from '../../../platform/database/index.js';
import type { OnTaught } from '../sql/decision.js';

/** From then on, deliveries of the workspace go up to this change of identities. */
export function announceTaught(db: Database, workspaceId: string): OnTaught {
  return async (sequence) => {
    await db
      .update(workspaces)
      .set({ identitySequence: sql`greatest(${workspaces.identitySequence}, ${sequence})` })
      .where(eq(workspaces.id, workspaceId));
  };
}
