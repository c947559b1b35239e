import { and, eq, ne } from 'drizzle-orm';
import { ErasuresService } from '../../src/features/erasures/erasures.service.js';
import { connections } from '../../src/platform/database/index.js';
import { ADMIN } from '../support/delivery-rig.js';
import { mpidsOf, profilesOf } from './audit-profiles.js';
import { idOf } from './people.js';
import type { LeaverNamedBy, Step } from './steps.js';
import type { World } from './world.js';

/** Somebody who asked to be suppressed or erased. */
export interface Leaver extends Pick<Extract<Step, { do: 'leave' }>, 'kind' | 'by'> {
  person: number;
  /** The work that the hub promised; undefined where whoever asked was not answered. */
  erasureId: string | undefined;
  /** Absent: the hub knew nobody. */
  mpid: string | undefined;
  /** Connections in whose list the person was when the hub was asked, and the list where others send to it too. */
  hadBy: { id: string; sharedList: string | undefined }[];
}

/** Asks that somebody of the newest file leaves. Whoever is not answered asks again, see {@link askAgain}. */
export async function letLeave(
  world: World,
  { audience, pick, kind, by }: Extract<Step, { do: 'leave' }>,
): Promise<void> {
  const rows = world.newestRows(audience);
  const person = rows[pick % Math.max(rows.length, 1)]?.person;
  if (person === undefined) return;
  const leaver: Leaver = { person, kind, by, erasureId: undefined, mpid: undefined, hadBy: [] };
  world.leavers.push(leaver);
  await ask(world, leaver);
}

/** Those whose request ended with the process that heard it. */
export async function askAgain(world: World): Promise<void> {
  for (const leaver of world.leavers) if (leaver.erasureId === undefined) await ask(world, leaver);
}

async function ask(world: World, leaver: Leaver): Promise<void> {
  const profiles = await profilesOf(world);
  leaver.mpid ??= mpidsOf(profiles).get(idOf(leaver.person));
  leaver.hadBy = await connectionsThatHave(world, leaver.person);
  const known = profiles.get(leaver.mpid ?? '') ?? [];
  const given = namedBy(leaver, known);
  const made = await world.hub
    .get(ErasuresService)
    .begin(ADMIN, leaver.kind, { workspaceId: world.workspaceId, ...given });
  leaver.erasureId = made.id;
}

/** By what the hub does not know, it would find nobody; the id is in every row. */
function namedBy({ person, by, mpid }: Leaver, known: readonly string[]) {
  if (by === 'mpid' && mpid !== undefined) return { mpids: [mpid] };
  const one = known.find((identity) => identity.startsWith(`${by}=`)) ?? `customer_id=${idOf(person)}`;
  const at = one.indexOf('=');
  const type = one.slice(0, at) as Exclude<LeaverNamedBy, 'mpid'>;
  return { identities: [{ type, value: one.slice(at + 1) }] };
}

async function connectionsThatHave({ db, workspaceId, partner }: World, person: number) {
  const rows = await db
    .select({ id: connections.id, listId: connections.externalId })
    .from(connections)
    .where(and(eq(connections.workspaceId, workspaceId), ne(connections.status, 'removed')));
  return rows.flatMap(({ id, listId }) => {
    const list = partner.lists.get(listId ?? '');
    if (!list?.has(person)) return [];
    // Whom a connection that is gone could not take out of a shared list is there without the others' doing.
    if (list.shared && list.keeps(person)) return [];
    return [{ id, sharedList: list.shared ? list.id : undefined }];
  });
}
