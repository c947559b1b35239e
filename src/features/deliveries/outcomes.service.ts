import { Injectable } from '@nestjs/common';
import { and, asc, eq, gt, sql, type SQL } from 'drizzle-orm';
import { deliveryBatches, rowsOf, type Database } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import { readPage, type Page } from '../http/index.js';
import type { OutcomesQuery, OutcomeView } from './deliveries.dto.js';

/** Batches read at once for a file. */
const BATCHES_A_READ = 50;

type OutcomeFilter = Pick<OutcomesQuery, 'status' | 'code' | 'operation'>;

/** Who of a delivery did not get to the partner, and why. Kept in the rows of its batches. */
@Injectable()
export class OutcomesService {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** In the order of sending. */
  async list(deliveryId: string, query: OutcomesQuery): Promise<Page<OutcomeView>> {
    const source = exceptionsSql(deliveryId, query);
    return readPage(query, this.count(source), async (limit, offset) =>
      rowsOf<OutcomeView>(
        await this.db.execute(sql`
          select e.value ->> 'mpid' as "mpid", b.operation as "operation", e.value ->> 'status' as "status",
            e.value ->> 'code' as "code", e.value ->> 'message' as "message", b.batch_id as "batchId",
            coalesce((e.value ->> 'count')::int, 1) as "count"
          ${source} order by b.position, e.number limit ${limit} offset ${offset}`),
      ),
    );
  }

  /** The same without paging, some batches at a time. */
  async *all(deliveryId: string, filter: OutcomeFilter): AsyncGenerator<OutcomeView> {
    let after = 0;
    for (;;) {
      const batches = await this.db
        .select()
        .from(deliveryBatches)
        .where(
          and(
            eq(deliveryBatches.deliveryId, deliveryId),
            gt(deliveryBatches.position, after),
            filter.operation ? eq(deliveryBatches.operation, filter.operation) : undefined,
          ),
        )
        .orderBy(asc(deliveryBatches.position))
        .limit(BATCHES_A_READ);
      for (const { exceptions, operation, batchId, position } of batches) {
        after = position;
        for (const { mpid, status, code, message, count = 1 } of exceptions) {
          const wanted =
            (filter.status === undefined || filter.status === status) &&
            (filter.code === undefined || filter.code === code);
          if (wanted) yield { mpid, operation, status, code, message, batchId, count };
        }
      }
      if (batches.length < BATCHES_A_READ) return;
    }
  }

  private async count(source: SQL): Promise<number> {
    const [row] = rowsOf<{ total: number }>(
      await this.db.execute(sql`select count(*)::int as total ${source}`),
    );
    return row?.total ?? 0;
  }
}

function exceptionsSql(deliveryId: string, { status, code, operation }: OutcomeFilter): SQL {
  return sql`
    from ${deliveryBatches} as b, jsonb_array_elements(b.exceptions) with ordinality as e(value, number)
    where b.delivery_id = ${deliveryId}
      and ${operation === undefined ? sql`true` : sql`b.operation = ${operation}`}
      and ${status === undefined ? sql`true` : sql`e.value ->> 'status' = ${status}`}
      and ${code === undefined ? sql`true` : sql`e.value ->> 'code' = ${code}`}`;
}
