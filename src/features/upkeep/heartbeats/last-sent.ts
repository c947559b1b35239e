import { and, desc, eq, gte, lt, max, or, sql } from 'drizzle-orm';
import { deliveries, type Database, type Transaction } from '../../../platform/database/index.js';

/** What a connection's deliveries say of when its members were added last. */
export interface LastSent {
  /** Everybody was sent after the moment, whoever came later too. */
  everybody: boolean;
  /** Version whose members were all sent before the moment; 0: nobody was. */
  version: number;
  /** The output takes whole states. */
  byWholeStates: boolean;
}

/** How long ago members were added, by the moment from which on a delivery can have sent them. */
export async function readLastSent(
  db: Database | Transaction,
  connectionId: string,
  moment: Date,
): Promise<LastSent> {
  const delivered = and(eq(deliveries.connectionId, connectionId), eq(deliveries.state, 'delivered'));
  const begun = sql`coalesce(${deliveries.touchedAt}, ${deliveries.startedAt}, ${deliveries.createdAt})`;
  const operation = sql<string>`${deliveries.cursor}->>'operation'`;
  const everybody = or(
    eq(deliveries.fromVersion, 0),
    eq(operation, 'replace'),
    sql`${deliveries.sendsAgain}->'backfill' is not null`,
  );
  const [before] = await db
    .select({ version: max(deliveries.toVersion) })
    .from(deliveries)
    .where(and(delivered, lt(begun, moment)));
  const [newest] = await db
    .select({ operation })
    .from(deliveries)
    .where(delivered)
    .orderBy(desc(deliveries.finishedAt))
    .limit(1);
  return {
    everybody: (await db.$count(deliveries, and(delivered, gte(begun, moment), everybody))) > 0,
    version: before?.version ?? 0,
    byWholeStates: newest?.operation === 'replace',
  };
}
