import { and, asc, eq, inArray, isNull, ne, notInArray, sql } from 'drizzle-orm';
import { HubError } from '../../src/domain/errors/index.js';
import { AbTestsService } from '../../src/features/ab-tests/ab-tests.service.js';
import { AudiencesService } from '../../src/features/audiences/audiences.service.js';
import { ConnectionsService } from '../../src/features/connections/index.js';
import { FaultsService } from '../../src/features/faults/index.js';
import { PlansService } from '../../src/features/plans/plans.service.js';
import {
  connections,
  deliveries,
  exportsTable,
  faults,
  imports,
  leases,
} from '../../src/platform/database/index.js';
import { ADMIN } from '../support/delivery-rig.js';
import { askForExport, liveVariantsOf, lookAtExports } from './exports.js';
import { giveFile } from './give-file.js';
import { letLeave } from './leaving.js';
import { meet } from './meeting.js';
import { SHARED_LIST, SHARING, type SimPlugin } from './partner-kinds.js';
import { TEAM } from './people.js';
import { Random } from './random.js';
import type { Step } from './steps.js';
import { liveDays, loseSome, reconcile } from './upkeep.js';
import type { World } from './world.js';

/** More would take time, and show nothing new. */
const MOST_CONNECTIONS = 4;

/** What the hub may answer to whom it cannot serve now. */
const ANSWERS = new Set(['WRONG_STATE', 'PLAN_STALE', 'ALREADY_EXISTS', 'NOT_FOUND', 'VARIANT_UNKNOWN']);

/** Does one step. Throws where the hub does what it never should; a process that is killed by it is replaced. */
export async function take(world: World, step: Step): Promise<void> {
  try {
    await doStep(world, step);
  } catch (error) {
    const refused = error instanceof HubError && ANSWERS.has(error.code);
    if (!refused && !world.hub.life.isOver) throw error;
  }
  if (world.hub.life.isOver) {
    await world.restart(world.restarts.alone, world.restarts.keepsHints);
  }
  await lookAtExports(world);
}

async function doStep(world: World, step: Step): Promise<void> {
  const { hub, partner } = world;
  switch (step.do) {
    case 'import':
      return giveFile(world, step.audience, step.change, new Random(step.seed));
    case 'work':
      return work(world, step.hints);
    case 'sweep':
      world.wait(step.ms);
      return hub.sweep();
    case 'wait':
      world.wait(step.ms);
      return;
    case 'fail':
      return partner.moods[step.plugin].set(step);
    case 'refuse':
      partner.refusedRows.delete(step.person);
      partner.poison.delete(step.person);
      if (step.how === 'row') partner.refusedRows.add(step.person);
      if (step.how === 'batch') partner.poison.add(step.person);
      return;
    case 'delete list':
      return deleteList(world, step.pick);
    case 'mend':
      return partner.mend();
    case 'resume':
      return resume(world, step.pick);
    case 'pause':
      return setStatus(world, step.pick, 'inactive');
    case 'activate':
      return setStatus(world, step.pick, 'active');
    case 'plan':
      return plan(world, step.pick);
    case 'apply':
      return applyPlan(world, step.pick);
    case 'connect':
      return connect(world, step);
    case 'tell':
      return tell(world, step.pick, step.tells);
    case 'disconnect':
      return disconnect(world, step.pick);
    case 'test':
      return test(world, step.audience, step.share);
    case 'end test':
      return endTest(world, step.audience);
    case 'rename':
      return rename(world, step.audience, step.name);
    case 'reconcile':
      return withOne(world, step.pick, ({ id }) => reconcile(world, id, step.backfill));
    case 'lose members':
      return withOne(world, step.pick, ({ id }) => loseSome(world, id, step.isSeen));
    case 'days':
      return liveDays(world, step, (hints) => work(world, hints));
    case 'meet':
      return meet(world, step, (hints) => work(world, hints));
    case 'export':
      return askForExport(world, step);
    case 'leave':
      return letLeave(world, step);
    case 'kill':
      world.restarts = { alone: step.alone, keepsHints: step.keepsHints };
      return hub.life.dieAt({ calls: step.calls, unheard: step.unheard });
    case 'stall':
      return hub.stallAt(() => true);
    case 'wake':
      return wake(world, step.pick);
    case 'leases run out':
      return leasesRunOut(world);
    case 'lose hints':
      return hub.queue.lose();
    case 'check':
      return;
  }
}

export async function work(world: World, hints: number): Promise<void> {
  for (let done = 0; done < hints; done += 1) {
    const end = await world.hub.work();
    if (end === 'idle') return;
    if (end === 'done') await lookAtExports(world);
    else {
      world.stalled.push(world.hub);
      await world.restart(false, true);
      return;
    }
  }
}

async function wake(world: World, pick: number): Promise<void> {
  const [hub] = world.stalled.splice(pick % Math.max(world.stalled.length, 1), 1);
  if (!hub) return;
  try {
    await hub.wake();
  } catch (error) {
    if (!hub.life.isOver) throw error;
  }
  await hub.end();
}

/** The leases of processes that stopped, killed or stalled: to the others they look the same. */
async function leasesRunOut({ db, hub, stalled }: World): Promise<void> {
  for (const one of stalled) one.outsleepLeases();
  const past = sql`now() - interval '1 minute'`;
  for (const table of [deliveries, imports, exportsTable]) {
    await db
      .update(table)
      .set({ leaseUntil: past })
      .where(and(eq(table.state, 'running'), ne(table.leaseOwner, hub.owner)));
  }
  await db.update(leases).set({ until: past });
}

type Connection = typeof connections.$inferSelect;

async function connectionsOf(world: World): Promise<Connection[]> {
  return world.db
    .select()
    .from(connections)
    .where(
      and(
        eq(connections.workspaceId, world.workspaceId),
        notInArray(connections.status, ['removing', 'removed']),
      ),
    )
    .orderBy(asc(connections.audienceId), asc(connections.createdAt), asc(connections.outputId));
}

async function oneConnection(world: World, pick: number): Promise<Connection | undefined> {
  const found = await connectionsOf(world);
  return found[pick % Math.max(found.length, 1)];
}

async function withOne(world: World, pick: number, act: (one: Connection) => Promise<void>): Promise<void> {
  const found = await oneConnection(world, pick);
  if (found) await act(found);
}

async function deleteList(world: World, pick: number): Promise<void> {
  const lists = [...world.partner.lists.values()].filter(({ gone }) => !gone);
  const list = lists[pick % Math.max(lists.length, 1)];
  if (list) list.gone = true;
}

async function resume(world: World, pick: number): Promise<void> {
  const open = await openFaults(world);
  const fault = open[pick % Math.max(open.length, 1)];
  if (fault) await world.hub.get(FaultsService).resume(ADMIN, fault.id);
}

export async function openFaults(world: World): Promise<(typeof faults.$inferSelect)[]> {
  return world.db
    .select()
    .from(faults)
    .where(and(eq(faults.workspaceId, world.workspaceId), isNull(faults.resolvedAt)))
    .orderBy(asc(faults.raisedAt));
}

async function setStatus(world: World, pick: number, status: 'active' | 'inactive'): Promise<void> {
  const found = await oneConnection(world, pick);
  if (found) await world.hub.get(ConnectionsService).update(ADMIN, found.id, { status });
}

async function plan(world: World, pick: number): Promise<void> {
  const found = await oneConnection(world, pick);
  if (!found) return;
  const { id: planId } = await world.hub.get(PlansService).make(ADMIN, found.id);
  world.plans.push({ connectionId: found.id, planId });
}

async function applyPlan(world: World, pick: number): Promise<void> {
  // The newest is the likeliest to hold still.
  const chosen = pick % 2 === 0 ? world.plans.length - 1 : pick % Math.max(world.plans.length, 1);
  const [known] = world.plans.splice(chosen, 1);
  if (known) await world.hub.get(PlansService).apply(ADMIN, known.connectionId, known.planId);
}

async function connect(world: World, step: Extract<Step, { do: 'connect' }>): Promise<void> {
  const audienceId = await world.audienceId(step.audience);
  if (audienceId === undefined) return;
  if (!step.needed && (await connectionsOf(world)).length >= MOST_CONNECTIONS) return;
  const choices = [null, ...(await liveVariantsOf(world, audienceId))];
  const variantId = choices[step.pick % choices.length] ?? null;
  const outputId = world.outputs.get(step.plugin) ?? '';
  const status = step.active ? 'active' : 'inactive';
  const settings = step.shared && SHARING.includes(step.plugin) ? { list: SHARED_LIST } : {};
  const attributes = step.tells ? [TEAM] : [];
  await world.hub
    .get(ConnectionsService)
    .create(ADMIN, audienceId, { outputId, variantId, status, settings, attributes });
}

async function tell(world: World, pick: number | SimPlugin, tells: boolean): Promise<void> {
  const found = await connectionsOf(world);
  const chosen =
    typeof pick === 'number'
      ? found.slice(pick % Math.max(found.length, 1)).slice(0, 1)
      : found.filter(({ outputId }) => outputId === world.outputs.get(pick));
  for (const { id } of chosen) {
    await world.hub.get(ConnectionsService).update(ADMIN, id, { attributes: tells ? [TEAM] : [] });
  }
}

async function disconnect(world: World, pick: number): Promise<void> {
  const found = await oneConnection(world, pick);
  if (found) await world.hub.get(ConnectionsService).delete(ADMIN, found.id, false);
}

async function test(world: World, audience: number, share: number): Promise<void> {
  const audienceId = await world.audienceId(audience);
  if (audienceId === undefined) return;
  const variants = [
    { name: 'A', percentage: share },
    { name: 'B', percentage: 30 },
  ];
  await world.hub.get(AbTestsService).set(ADMIN, audienceId, { variants });
}

async function endTest(world: World, audience: number): Promise<void> {
  const audienceId = await world.audienceId(audience);
  if (audienceId !== undefined) await world.hub.get(AbTestsService).delete(ADMIN, audienceId);
}

async function rename(world: World, audience: number, name: number): Promise<void> {
  const audienceId = await world.audienceId(audience);
  if (audienceId === undefined) return;
  await world.hub.get(AudiencesService).update(ADMIN, audienceId, { name: `Audience ${audience} ${name}` });
}

/** All that are paused are activated; whatever stands in the way is somebody's to resolve first. */
export async function activateAll(world: World): Promise<void> {
  const paused = await world.db
    .select({ id: connections.id })
    .from(connections)
    .where(and(eq(connections.workspaceId, world.workspaceId), inArray(connections.status, ['inactive'])));
  for (const { id } of paused) {
    await world.hub.get(ConnectionsService).update(ADMIN, id, { status: 'active' });
  }
}
