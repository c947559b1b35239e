import { and, desc, inArray, isNull } from 'drizzle-orm';
import { faults, type Database, type Transaction } from '../../platform/database/index.js';
import type { ConnectionFaultView } from './connections.dto.js';

/** The newest open fault of each of the connections that has one. */
export async function openFaultsOf(
  db: Database | Transaction,
  connectionIds: string[],
): Promise<Map<string, ConnectionFaultView>> {
  if (connectionIds.length === 0) return new Map();
  const rows = await db
    .selectDistinctOn([faults.connectionId])
    .from(faults)
    .where(and(inArray(faults.connectionId, connectionIds), isNull(faults.resolvedAt)))
    .orderBy(faults.connectionId, desc(faults.raisedAt));
  return new Map(
    rows.map(({ id, connectionId, kind, code, message, raisedAt }) => [
      connectionId,
      { id, kind, code, message, raisedAt: raisedAt.toISOString() },
    ]),
  );
}
