import { sql } from 'drizzle-orm';
import { integer, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Primary key of everything but audiences and the numbers used as keys in the warehouse. */
export const id = () =>
  uuid()
    .primaryKey()
    .default(sql`gen_random_uuid()`);

/** A moment, with time zone, read and written as a Date (milliseconds). */
export const moment = () => timestamp({ withTimezone: true, mode: 'date', precision: 3 });

export const createdAt = () => moment().notNull().defaultNow();

/**
 * Columns of every row that stands for work (imports, deliveries, exports). A process that works on the row
 * holds its lease; a lease that ran out is taken over. `attempts` counts how often work was begun.
 */
export const leaseColumns = () => ({
  leaseOwner: uuid(),
  leaseUntil: moment(),
  attempts: integer().notNull().default(0),
  /** Not to be begun before this moment (back-off). */
  notBefore: moment(),
});
