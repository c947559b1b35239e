import { and, eq, inArray, ne } from 'drizzle-orm';
import { FaultsService } from '../../src/features/faults/index.js';
import {
  connections,
  deliveries,
  erasures,
  exportsTable,
  imports,
} from '../../src/platform/database/index.js';
import { ADMIN } from '../support/delivery-rig.js';
import { activateAll, openFaults, take, work } from './actions.js';
import { askAgain } from './leaving.js';
import type { World } from './world.js';

/** Rounds of a sweep and all that it queues, each minutes after the one before. */
const MOST_ROUNDS = 40;
const ROUND_MS = 10 * 60_000;
const HINTS_A_ROUND = 200;

/**
 * Ends what failed: the partner is well again, processes that were stalled come to their end, faults are resumed
 * and connections activated. Then the hub works until nothing is left to do.
 */
export async function settle(world: World): Promise<void> {
  world.partner.mend();
  while (world.stalled.length > 0) await take(world, { do: 'wake', pick: 0 });
  await world.renew();
  await take(world, { do: 'leases run out' });
  await askAgain(world);
  let atRest = false;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    await world.hub.sweep();
    // Only a sweep that finds nothing says so: it makes what somebody forgot to ask for.
    if (atRest && (await whatIsLeft(world)).length === 0) return;
    await work(world, HINTS_A_ROUND);
    for (const { id, kind } of await openFaults(world)) {
      if (kind !== 'permanent') await world.hub.get(FaultsService).resume(ADMIN, id);
    }
    await activateAll(world);
    await work(world, HINTS_A_ROUND);
    atRest = (await whatIsLeft(world)).length === 0;
    world.wait(ROUND_MS);
  }
  throw new Error(`The hub does not come to rest: ${JSON.stringify(await whatIsLeft(world))}`);
}

async function whatIsLeft({ db, workspaceId }: World): Promise<unknown[]> {
  const open = await db
    .select({ id: deliveries.id, state: deliveries.state, error: deliveries.error })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.workspaceId, workspaceId),
        inArray(deliveries.state, ['queued', 'running', 'faulted']),
      ),
    );
  const waiting = await db
    .select({ id: imports.id, state: imports.state, error: imports.error })
    .from(imports)
    .where(and(eq(imports.workspaceId, workspaceId), inArray(imports.state, ['queued', 'running', 'held'])));
  const stopped = await db
    .select({ id: connections.id, status: connections.status })
    .from(connections)
    .where(
      and(
        eq(connections.workspaceId, workspaceId),
        inArray(connections.status, ['faulted', 'inactive', 'removing']),
      ),
    );
  const leaving = await db
    .select({ id: erasures.id, state: erasures.state, error: erasures.error })
    .from(erasures)
    .where(and(eq(erasures.workspaceId, workspaceId), ne(erasures.state, 'done')));
  const asked = await db
    .select({ id: exportsTable.id, state: exportsTable.state })
    .from(exportsTable)
    .where(
      and(eq(exportsTable.workspaceId, workspaceId), inArray(exportsTable.state, ['queued', 'running'])),
    );
  return [...open, ...waiting, ...stopped, ...leaving, ...asked];
}
