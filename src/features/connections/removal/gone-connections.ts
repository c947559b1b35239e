import { and, desc, eq, inArray } from 'drizzle-orm';
import {
  abVariants,
  connections,
  deliveries,
  outputs,
  type Database,
  type GoneConnection,
  type Transaction,
} from '../../../platform/database/index.js';
import { openFaultsOf } from '../open-faults.js';
import type { GoingConnection } from './connection-removals.js';

/** The deleted connections of an audience whose rows are there, and how far each removal is; by output, oldest first. */
export async function readGoneConnections(
  db: Database | Transaction,
  audienceId: number,
): Promise<GoneConnection[]> {
  const gone = inArray(connections.status, ['removing', 'removed']);
  const rows = await db
    .select({ connection: connections, output: outputs.name, variant: abVariants.name })
    .from(connections)
    .innerJoin(outputs, eq(outputs.id, connections.outputId))
    .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
    .where(and(eq(connections.audienceId, audienceId), gone))
    .orderBy(outputs.name, connections.createdAt, connections.id);
  const ids = rows.map(({ connection }) => connection.id);
  const [counts, open] = [await countsOf(db, ids), await openFaultsOf(db, ids)];
  return rows.flatMap(({ connection: { id, status, removal, removingSince, removedAt }, output, variant }) =>
    removal === null
      ? []
      : {
          id,
          output,
          ...(variant === null ? {} : { variant }),
          status: status === 'removed' ? status : 'removing',
          removal: {
            ...removal,
            since: removingSince?.toISOString() ?? null,
            finishedAt: removedAt?.toISOString() ?? null,
          },
          counts: counts.get(id) ?? null,
          fault: open.get(id) ?? null,
        },
  );
}

/** One whose row went at once, because nothing had been sent. */
export function neverSent({ id, output, variant, removal }: GoingConnection): GoneConnection {
  const { requestedBy, since, finishedAt } = removal;
  return {
    id,
    output,
    ...(variant === null ? {} : { variant }),
    status: 'removed',
    removal: {
      requestedBy,
      plan: { members: 'none', list: 'none' },
      stays: [],
      sharedWith: [],
      outcome: 'never_sent',
      since,
      finishedAt,
    },
    counts: null,
    fault: null,
  };
}

async function countsOf(
  db: Database | Transaction,
  ids: string[],
): Promise<Map<string, NonNullable<GoneConnection['counts']>>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectDistinctOn([deliveries.connectionId])
    .from(deliveries)
    .where(and(inArray(deliveries.connectionId, ids), eq(deliveries.kind, 'removal')))
    .orderBy(deliveries.connectionId, desc(deliveries.createdAt));
  return new Map(
    rows.map(({ connectionId, planned, accepted, rejected, skipped }) => [
      connectionId,
      { planned, accepted, rejected, skipped },
    ]),
  );
}
