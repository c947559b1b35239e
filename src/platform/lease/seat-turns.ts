import { sql, type SQL } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

/** Of a row with the alias `row`: not at its end. The partial indexes `…_waiting` hold these rows. */
const OPEN = sql.raw(`state in ('queued', 'running')`);
const CLAIMABLE = sql.raw(
  `(lease_until is null or lease_until < now()) and (not_before is null or not_before < now())`,
);

/**
 * The row to be worked on before `id`: the oldest one that waits of the seat that has the fewest running, and among
 * those was served longest ago. No row where it is the turn of `id`'s own seat, or where `id` does not wait.
 * Looks at one row a seat, not at all that wait: the seats are found by leaps through the index of open rows.
 */
export function rowBefore(table: PgTable, id: string): SQL {
  return sql`
    with recursive seats(seat) as (
      (select workspace_id from ${table} where ${OPEN} order by workspace_id limit 1)
      union all
      select (select workspace_id from ${table} where ${OPEN} and workspace_id > seats.seat order by workspace_id limit 1)
      from seats where seats.seat is not null
    ),
    busy as (
      select workspace_id as seat, count(*) as running
      from ${table} where state = 'running' and lease_until >= now() group by workspace_id
    ),
    turns as (
      select seats.seat, coalesce(busy.running, 0) as running,
        coalesce(
          (select max(started_at) from ${table} where workspace_id = seats.seat and started_at is not null),
          '-infinity'
        ) as served,
        (select id from ${table} where workspace_id = seats.seat and ${OPEN} and ${CLAIMABLE}
          order by created_at limit 1) as next
      from seats left join busy on busy.seat = seats.seat
      where seats.seat is not null
    )
    select other.next as id
    from turns own, turns other
    where own.seat = (select workspace_id from ${table} where id = ${id} and ${OPEN} and ${CLAIMABLE})
      and other.next is not null and (other.running, other.served) < (own.running, own.served)
    order by other.running, other.served, other.seat
    limit 1`;
}
