import { inArray } from 'drizzle-orm';
import { workspaces, type Database } from '../../../platform/database/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { drop, tablesCalled } from './tables.js';

/**
 * Drops what imports of deleted workspaces have set down and not registered. Of other workspaces it is kept, also after
 * the import failed: the next one registers it.
 */
export async function dropStrangersDecisions(warehouse: Warehouse, db: Database): Promise<void> {
  const tables = (await tablesCalled(warehouse, 'decision_[0-9]+')).map((name) => ({
    name,
    workspace: Number(name.slice(name.lastIndexOf('_') + 1)),
  }));
  if (tables.length === 0) return;
  const numbers = tables.map(({ workspace }) => workspace);
  const living = await db
    .select({ number: workspaces.number })
    .from(workspaces)
    .where(inArray(workspaces.number, numbers));
  const alive = new Set(living.map(({ number }) => number));
  for (const { name, workspace } of tables) if (!alive.has(workspace)) await drop(warehouse, name);
}
