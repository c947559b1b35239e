import { eq, inArray } from 'drizzle-orm';
import { connections, erasureReceipts, erasures } from '../../src/platform/database/index.js';
import { keptProblems } from './audit-forgotten.js';
import { mpidsOf, type Profiles } from './audit-profiles.js';
import type { Leaver } from './leaving.js';
import { idOf } from './people.js';
import type { World } from './world.js';

type Receipt = typeof erasureReceipts.$inferSelect;

/** Whoever asked to leave is out everywhere, or a receipt says where not. From here on nobody is to bring them back. */
export async function peopleProblems(world: World, profiles: Profiles): Promise<string[]> {
  const ids = world.leavers.flatMap(({ erasureId }) => erasureId ?? []);
  if (ids.length === 0) return [];
  const { db, workspaceId } = world;
  const works = await db.select().from(erasures).where(inArray(erasures.id, ids));
  const receipts = await db.select().from(erasureReceipts).where(inArray(erasureReceipts.erasureId, ids));
  const connected = await db.select().from(connections).where(eq(connections.workspaceId, workspaceId));
  const live = new Map(connected.filter(({ status }) => status !== 'removed').map((one) => [one.id, one]));
  const problems = works
    .filter(({ state }) => state !== 'done')
    .map(({ id, state, error }) => `Erasure ${id} is ${state}: ${error?.message}`);
  problems.push(...(await keptProblems(world)));
  problems.push(...receipts.flatMap((receipt) => receiptProblems(world, receipt)));
  for (const leaver of world.leavers) {
    const theirs = receipts.filter(({ erasureId }) =>
      world.leavers.some((one) => one.person === leaver.person && one.erasureId === erasureId),
    );
    const isSilent = (id: string) => live.has(id) && theirs.every(({ connectionId }) => connectionId !== id);
    // Of a list that is shared it may be another connection that had them there.
    const without = leaver.hadBy.filter(({ id, sharedList }) =>
      sharedList === undefined
        ? isSilent(id)
        : leaver.hadBy.every((one) => one.sharedList !== sharedList || isSilent(one.id)),
    );
    problems.push(
      ...without.map(({ id }) => `Connection ${id} had ${idOf(leaver.person)}, and gave no receipt.`),
    );
    problems.push(...stillKnown(leaver, profiles));
    for (const { id, externalId } of live.values()) {
      const list = world.partner.lists.get(externalId ?? '');
      // Refused to a connection that has ended since, which tells in its removal.
      const isOthers =
        list?.shared && list.keeps(leaver.person) && leaver.hadBy.some((one) => !live.has(one.id));
      if (isOthers || !list?.has(leaver.person) || list.gone || leaver.hadBy.every((one) => one.id !== id))
        continue;
      const isTold = theirs.some(
        ({ connectionId, rejected, reason }) =>
          (connectionId === id || list.shared) &&
          ((rejected ?? 0) > 0 || reason?.code === 'OUTCOMES_FORGOTTEN'),
      );
      if (!isTold)
        problems.push(`${idOf(leaver.person)} is still in ${list.id}, and no receipt of ${id} says so.`);
    }
    world.partner.gone.add(leaver.person);
  }
  return problems;
}

/** Somebody who was erased is known no more. */
function stillKnown({ person, kind }: Leaver, profiles: Profiles): string[] {
  if (kind !== 'erase' || !mpidsOf(profiles).has(idOf(person))) return [];
  return [`${idOf(person)} was erased, and has a profile.`];
}

/** What a receipt counts is what the partner answered; each is of one person. */
function receiptProblems({ partner, leavers }: World, receipt: Receipt): string[] {
  const { connectionId, plugin, state, deliveryId, sent } = receipt;
  const [accepted, rejected] = [receipt.accepted ?? 0, receipt.rejected ?? 0];
  const where = `The receipt of ${connectionId} (${plugin})`;
  if (state === 'waiting') return [`${where} waits.`];
  if (sent === null || deliveryId === null) return [];
  const problems: string[] = [];
  if (sent !== accepted + rejected + (receipt.unsupported ?? 0) + (receipt.notSent ?? 0)) {
    problems.push(`${where} does not add up.`);
  }
  const mpid = leavers.find(({ erasureId }) => erasureId === receipt.erasureId)?.mpid;
  const answer = partner.record.answersOf(deliveryId).get(`remove ${mpid}`);
  // Of a list that went as a whole nobody was asked.
  if (plugin === 'sim-whole' || mpid === undefined || answer === undefined) return problems;
  if ((answer && accepted !== 1) || (!answer && rejected !== 1)) {
    problems.push(
      `${where} says ${accepted} accepted, ${rejected} rejected; the partner answered ${answer}.`,
    );
  }
  return problems;
}
