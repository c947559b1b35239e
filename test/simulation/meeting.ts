import { and, asc, eq, inArray } from 'drizzle-orm';
import { ConnectionsService } from '../../src/features/connections/index.js';
import { connections } from '../../src/platform/database/index.js';
import { ADMIN } from '../support/delivery-rig.js';
import { giveFile } from './give-file.js';
import { Random } from './random.js';
import { AUDIENCES, type Step } from './steps.js';
import type { World } from './world.js';

const ROUNDS = 3;
const ROUND_MS = 60_000;
const HINTS_A_ROUND = 30;

/**
 * All connections of a list that is shared have something to send. Whoever is first is answered late, and the others are
 * worked on meanwhile: they are to wait. So is the removal of another one, where one of them ends: it is somebody who
 * brings members that is answered late then, as two who take members out may do so side by side.
 */
export async function meet(
  world: World,
  { pick, after, seed, ends }: Extract<Step, { do: 'meet' }>,
  work: (hints: number) => Promise<void>,
): Promise<void> {
  const meeting = await whoShare(world, pick);
  const [one] = meeting;
  if (!one) return;
  let left = after;
  world.hub.stallAt(({ listId, change }) => {
    const isLate = ends ? change === 'add' : change !== undefined;
    return listId === one.externalId && isLate && (left -= 1) < 0;
  });
  for (let audience = 0; audience < AUDIENCES; audience += 1) {
    const id = await world.audienceId(audience);
    if (meeting.some(({ audienceId }) => audienceId === id)) {
      await giveFile(world, audience, 'churn', new Random(seed + audience));
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    await work(HINTS_A_ROUND);
    if (ends && round === 0) {
      const late = world.stalled.map(({ stalledFor }) => stalledFor);
      const other = meeting.find(({ id }) => !late.includes(id)) ?? one;
      await world.hub.get(ConnectionsService).delete(ADMIN, other.id, false);
    }
    world.wait(ROUND_MS);
    await world.hub.sweep();
  }
}

/** Active connections of a list that several have. */
async function whoShare({ db, workspaceId, partner }: World, pick: number) {
  const shared = [...partner.lists.values()].filter((list) => list.shared && !list.gone).map(({ id }) => id);
  const rows = await db
    .select()
    .from(connections)
    .where(
      and(
        eq(connections.workspaceId, workspaceId),
        eq(connections.status, 'active'),
        inArray(connections.externalId, shared),
      ),
    )
    .orderBy(asc(connections.audienceId), asc(connections.createdAt), asc(connections.outputId));
  const lists = shared
    .map((id) => rows.filter(({ externalId }) => externalId === id))
    .filter(({ length }) => length > 1);
  return lists[pick % Math.max(lists.length, 1)] ?? [];
}
