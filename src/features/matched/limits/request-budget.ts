import { Injectable } from '@nestjs/common';
import { lt, sql } from 'drizzle-orm';
import { HubError } from '../../../domain/errors/index.js';
import { requestWindows, rowsOf, type Database } from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';

/** "The message rate limit is 20 requests per minute." */
export const REQUESTS = 20;
const WINDOW_MS = 60_000;
const FORGET_AFTER_MS = 3_600_000;

/** Too many requests; says when the next one may come. */
export class TooManyRequestsError extends HubError {
  constructor(readonly retryAfterMs: number) {
    const wait = Math.ceil(retryAfterMs / 1000);
    super(
      'TOO_MANY_REQUESTS',
      `More than ${REQUESTS} requests came within a minute. Send the next one in ${wait} s.`,
    );
  }
}

/**
 * Counts the requests of a caller over any minute, in the database and by its clock: all processes share the count.
 * A request that is refused counts for nothing.
 */
@Injectable()
export class RequestBudget {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** Takes one request out of the caller's minute, or throws TooManyRequestsError. */
  async take(caller: string): Promise<void> {
    const window = sql.raw(`interval '${WINDOW_MS} milliseconds'`);
    const retryAfterMs = await this.db.transaction(async (tx) => {
      await tx.insert(requestWindows).values({ caller }).onConflictDoNothing();
      const [row] = rowsOf<{ n: string | number; wait: string | number | null }>(
        await tx.execute(sql`
          with locked as (select requests from ${requestWindows} where caller = ${caller} for update),
               recent as (select at from locked, unnest(requests) as at where at > clock_timestamp() - ${window})
          select count(*) as n, extract(epoch from min(at) + ${window} - clock_timestamp()) * 1000 as wait from recent`),
      );
      if (Number(row?.n) >= REQUESTS) return Math.max(1, Math.ceil(Number(row?.wait)));
      await tx.execute(sql`
        update ${requestWindows} set updated_at = clock_timestamp(), requests = array_append(
          array(select at from unnest(requests) as at where at > clock_timestamp() - ${window} order by at), clock_timestamp())
        where caller = ${caller}`);
      return undefined;
    });
    if (retryAfterMs !== undefined) throw new TooManyRequestsError(retryAfterMs);
  }

  /** Forgets callers that were not heard of for an hour. */
  async forgetOld(): Promise<void> {
    const before = sql`now() - ${sql.raw(`interval '${FORGET_AFTER_MS} milliseconds'`)}`;
    await this.db.delete(requestWindows).where(lt(requestWindows.updatedAt, before));
  }
}
