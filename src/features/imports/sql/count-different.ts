import type { SqlSettings, Warehouse } from '../../../platform/warehouse/index.js';

/** Different hashes among those of `select` (`SELECT hash`). A set of them would be in memory. */
export async function countDifferent(
  warehouse: Warehouse,
  select: string,
  settings: SqlSettings = {},
): Promise<number> {
  const [row] = await warehouse.query<{ n: string }>(
    `SELECT count() AS n FROM (SELECT hash FROM (${select}) GROUP BY hash)`,
    { lane: 'bulk', settings },
  );
  return Number(row?.n ?? 0);
}
