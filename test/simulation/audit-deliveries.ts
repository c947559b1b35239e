import { and, eq, inArray } from 'drizzle-orm';
import { inSlicesSql } from '../../src/domain/heartbeats/index.js';
import { pendingMembers } from '../../src/features/deliveries/delivery-jobs.js';
import { deliveries, deliveryBatches } from '../../src/platform/database/index.js';
import type { Change, Repeat } from './partner-list.js';
import type { World } from './world.js';

type Batch = typeof deliveryBatches.$inferSelect;

/** Counts of what was delivered since the last time agree, and the outcomes are what the partner answered. */
export async function deliveryProblems(world: World): Promise<string[]> {
  const { db, workspaceId, audited } = world;
  const delivered = and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.state, 'delivered'));
  const all = await db.select().from(deliveries).where(delivered);
  const rows = all.filter(({ id }) => !audited.has(id));
  const ids = rows.map(({ id }) => id);
  const batches = await db.select().from(deliveryBatches).where(inArray(deliveryBatches.deliveryId, ids));
  const waiting = await pendingMembers(db, ids);
  const problems = [...waiting].map(([id, members]) => `Delivery ${id} is delivered, and ${members} wait.`);
  for (const { id, kind, planned, accepted, rejected, skipped } of rows) {
    audited.add(id);
    if (planned !== accepted + rejected + skipped) {
      problems.push(`Delivery ${id} planned ${planned}, and did ${accepted} + ${rejected} + ${skipped}.`);
    }
    const own = batches.filter(({ deliveryId }) => deliveryId === id);
    const answers = answersOf(world, id, keptIn(own));
    const refused = namesOf(own, ({ status }) => status === 'rejected');
    const meant = answers.filter(({ taken }) => !taken).map(({ what }) => what);
    // Whoever was sent unheard may be another connection's, or gone with the list, when a removal is tried again, and nothing
    // says so.
    const isMore = kind === 'removal' && answers.length > accepted + rejected;
    if (isMore ? !includesAll(meant, refused) : !isSame(meant, refused)) {
      problems.push(`Delivery ${id} says refused: ${refused.join()}; the partner refused: ${meant.join()}.`);
    }
    if (answers.length !== accepted + rejected && !isMore) {
      problems.push(
        `Delivery ${id} says ${accepted + rejected} were sent, the partner got ${answers.length}.`,
      );
    }
  }
  return problems;
}

/** Whether each of `some` is among `all`, as often as it is there. */
function includesAll(all: readonly string[], some: readonly string[]): boolean {
  const left = [...all];
  return some.every((one) => {
    const at = left.indexOf(one);
    if (at !== -1) left.splice(at, 1);
    return at !== -1;
  });
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && includesAll(some, others);
}

/** Somebody whom a delivery left to another connection of the list. */
interface KeptOne {
  /** What it would have done. */
  what: string;
  isAmong: (mpid: string) => boolean;
}

function keptIn(batches: readonly Batch[]): KeptOne[] {
  return batches.flatMap((batch) => {
    const { firstMpid, lastMpid } = batch;
    // The ends move by one where whoever was there is erased.
    const isAmong = (mpid: string) => BigInt(mpid) >= firstMpid - 1n && BigInt(mpid) <= lastMpid + 1n;
    return namesOf([batch], ({ code }) => code === 'SHARED_LIST').map((what) => ({ what, isAmong }));
  });
}

function namesOf(batches: readonly Batch[], which: (one: Batch['exceptions'][number]) => boolean): string[] {
  return batches.flatMap(({ operation, exceptions }) =>
    exceptions.filter(which).map(({ mpid }) => `${changeOf(operation)} ${mpid}`),
  );
}

/** What the partner answered. Who was left to another connection in the end may have been sent before, unheard. */
function answersOf({ partner, leavers }: World, deliveryId: string, kept: readonly KeptOne[]) {
  const left = [...kept];
  return [...partner.record.answersOf(deliveryId)].flatMap(([answer, taken]) => {
    const [change = '', mpid = ''] = answer.split(' ');
    const person = partner.record.personOf(mpid);
    const isErased = leavers.some((one) => one.kind === 'erase' && one.person === person);
    // As the outcomes are to name somebody who was erased.
    const what = isErased ? `${change} erased` : answer;
    const at = left.findIndex((one) => one.what === what && one.isAmong(mpid));
    if (at === -1) return [{ what, taken }];
    left.splice(at, 1);
    return [];
  });
}

function changeOf(operation: string): Change {
  if (operation === 'remove') return 'remove';
  return operation === 'replace' ? 'replace' : 'add';
}

/**
 * Nobody was added again without a reason: a lie, a crash, identities that were learned, a backfill or a turn. To a list that is shared
 * everybody may be brought by each connection.
 */
export async function repeatProblems(world: World): Promise<string[]> {
  const problems: string[] = [];
  for (const repeat of world.partner.record.repeats.splice(0)) {
    const { mpid, person, deliveryId, before, writtenDown, list } = repeat;
    // What they had learned is forgotten.
    if (world.leavers.some((one) => one.person === person)) continue;
    if (before === deliveryId) {
      if (writtenDown) problems.push(`Delivery ${deliveryId} sent ${mpid} again, who was written down.`);
    } else if (!list.shared && !(await hasReason(world, repeat))) {
      problems.push(`Delivery ${deliveryId} added ${mpid} to ${list.id}, whom ${before} had brought there.`);
    }
  }
  return problems;
}

async function hasReason({ db, storage, number }: World, { deliveryId, mpid }: Repeat): Promise<boolean> {
  const [delivery] = await db.select().from(deliveries).where(eq(deliveries.id, deliveryId));
  // Its connection was deleted, and with it the list is nobody's.
  if (!delivery) return true;
  const { fromIdentities, toIdentities, sendsAgain } = delivery;
  if (sendsAgain?.backfill !== undefined) return true;
  const slices = Object.keys(sendsAgain?.heartbeat?.slots ?? {}).map(Number);
  const isTurn = slices.length > 0 ? inSlicesSql(slices) : 'false';
  const rows = await storage.warehouse.query(
    `SELECT 1 FROM (SELECT toInt64('${mpid}') AS mpid) WHERE ${isTurn}
     UNION ALL SELECT 1 FROM identity_changes WHERE workspace = ${number} AND mpid = ${mpid}
       AND seq > ${fromIdentities} AND seq <= ${toIdentities} LIMIT 1`,
  );
  return rows.length > 0;
}
