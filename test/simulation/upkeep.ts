import { and, eq, inArray } from 'drizzle-orm';
import { ReconcileService } from '../../src/features/upkeep/reconciliation/reconcile.service.js';
import { connections, deliveries, OPEN_DELIVERY_STATES } from '../../src/platform/database/index.js';
import { ADMIN } from '../support/delivery-rig.js';
import { TURN_MS } from './forgetting.js';
import type { Step } from './steps.js';
import type { World } from './world.js';

/** Rounds of a turn in which the partner fails: the hub tries again minutes later. */
const ROUNDS = 3;
const ROUND_MS = 600_000;
const HINTS_A_ROUND = 60;

/** Somebody asks what the partner has, and perhaps that everybody is sent again. */
export async function reconcile(world: World, connectionId: string, backfill: boolean): Promise<void> {
  await world.hub.get(ReconcileService).reconcile(ADMIN, connectionId, { backfill });
  if (!backfill) return;
  const list = await listOf(world, connectionId);
  list?.asked(connectionId);
}

/** The partner loses some of a list. Whoever sees it asks for all of them. */
export async function loseSome(world: World, connectionId: string, isSeen: boolean): Promise<void> {
  const list = await listOf(world, connectionId);
  if (!list || list.gone) return;
  for (const mpid of [...list.members.keys()].slice(0, 3)) list.lose(mpid);
  if (isSeen) await reconcile(world, connectionId, true);
}

/** A day and more, in which little else happens. */
export async function liveDays(
  world: World,
  { turns, fails }: Extract<Step, { do: 'days' }>,
  work: (hints: number) => Promise<void>,
): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    world.clock.advance(TURN_MS);
    world.partner.forgetAll();
    const isBad = turn === 1 && fails > 0;
    if (isBad) {
      world.partner.moods['sim-list'].set({ fails: 'status 500', applied: true, calls: fails, after: 1 });
    }
    for (let round = 0; round < (isBad ? ROUNDS : 1); round += 1) {
      await world.hub.sweep();
      await work(HINTS_A_ROUND);
      world.clock.advance(ROUND_MS);
    }
    await noteStopped(world);
  }
}

/** Lists to which nothing can be sent: whoever is forgotten there is forgotten with good reason. */
async function noteStopped({ db, workspaceId, partner, clock }: World): Promise<void> {
  const rows = await db
    .select({ listId: connections.externalId, status: connections.status, open: deliveries.id })
    .from(connections)
    .leftJoin(
      deliveries,
      and(eq(deliveries.connectionId, connections.id), inArray(deliveries.state, OPEN_DELIVERY_STATES)),
    )
    .where(eq(connections.workspaceId, workspaceId));
  const working = rows.filter(({ status, open }) => status === 'active' && open === null);
  const stopped = rows.filter((row) => row.status !== 'removed' && !working.includes(row));
  for (const { listId } of stopped) {
    const list = partner.lists.get(listId ?? '');
    if (list) list.stoppedMs = clock.now().getTime();
  }
}

async function listOf({ db, partner }: World, connectionId: string) {
  const [row] = await db
    .select({ listId: connections.externalId })
    .from(connections)
    .where(eq(connections.id, connectionId));
  return partner.lists.get(row?.listId ?? '');
}
