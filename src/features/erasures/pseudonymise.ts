import { sql } from 'drizzle-orm';
import { deliveries, deliveryBatches, type Database } from '../../platform/database/index.js';

/** What stands in the place of the mpid of somebody who was erased. */
export const ERASED = 'erased';

/**
 * Takes mpids out of the outcomes of deliveries: an mpid comes of an identity, so whoever knows the one can tell the
 * other. Counts and codes stay. The ends of batches move by one; nobody else is or was at them.
 */
export async function pseudonymise(
  db: Database,
  workspaceId: string,
  mpids: readonly string[],
): Promise<void> {
  const list = sql`${`{${mpids.join(',')}}`}`;
  const theirs = sql`(select d.id from ${deliveries} as d where d.workspace_id = ${workspaceId})`;
  const finished = sql`(select d.id from ${deliveries} as d
    where d.workspace_id = ${workspaceId} and d.state in ('delivered', 'cancelled'))`;
  await db.execute(sql`
    update ${deliveryBatches} as b set exceptions = (
      select jsonb_agg(case when e.value ->> 'mpid' = any(${list}::text[])
        then jsonb_set(e.value, '{mpid}', to_jsonb(${ERASED}::text)) else e.value end order by e.number)
      from jsonb_array_elements(b.exceptions) with ordinality as e(value, number))
    where b.delivery_id in ${theirs} and exists (
      select 1 from jsonb_array_elements(b.exceptions) as e where e ->> 'mpid' = any(${list}::text[]))`);
  await db.execute(sql`
    update ${deliveryBatches} as b set first_mpid = first_mpid + 1
    where b.delivery_id in ${finished} and b.first_mpid = any(${list}::bigint[])
      and b.first_mpid < 9223372036854775807`);
  await db.execute(sql`
    update ${deliveryBatches} as b set last_mpid = last_mpid - 1
    where b.delivery_id in ${finished} and b.last_mpid = any(${list}::bigint[])
      and b.last_mpid > -9223372036854775808
      and not exists (select 1 from ${deliveryBatches} as o
        where o.delivery_id = b.delivery_id and o.operation = b.operation and o.last_mpid = b.last_mpid - 1)`);
  await db.execute(sql`
    update ${deliveries} as d set cursor = jsonb_set(d.cursor, '{afterMpid}', 'null'::jsonb)
    where d.workspace_id = ${workspaceId} and d.state in ('delivered', 'cancelled')
      and d.cursor ->> 'afterMpid' = any(${list}::text[])`);
}
