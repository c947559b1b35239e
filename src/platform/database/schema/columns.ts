import { sql } from 'drizzle-orm';
import { index, integer, timestamp, uuid, type ExtraConfigColumn } from 'drizzle-orm/pg-core';

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

/** Indexes by which the workspaces with open work, the oldest of each, and who was served last are found. */
export const turnIndexes = (
  table: string,
  t: Record<'workspaceId' | 'createdAt' | 'startedAt', ExtraConfigColumn>,
) => [
  index(`${table}_waiting`)
    .on(t.workspaceId, t.createdAt)
    .where(sql`state in ('queued', 'running')`),
  index(`${table}_served`).on(t.workspaceId, t.startedAt),
];
