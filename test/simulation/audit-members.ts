import { and, desc, eq, isNull, lte } from 'drizzle-orm';
import { isInTarget, targetOfVariant } from '../../src/domain/audiences/index.js';
import { partnerAudienceName } from '../../src/domain/names/index.js';
import {
  abVariants,
  audiences,
  audienceVersions,
  connections,
  imports,
  outputs,
} from '../../src/platform/database/index.js';
import { countProblems } from './audit-upkeep.js';
import { mpidsOf, type Profiles, type Teams } from './audit-profiles.js';
import { IDENTITIES_OF, SHARED_LIST, type SimPlugin } from './partner-kinds.js';
import type { SimList } from './partner-list.js';
import { identitiesOfRow, idOf, TEAM, type Row } from './people.js';
import type { World } from './world.js';

async function connected({ db, workspaceId }: World) {
  return db
    .select({ connection: connections, audience: audiences, variant: abVariants, plugin: outputs.plugin })
    .from(connections)
    .innerJoin(audiences, eq(audiences.id, connections.audienceId))
    .innerJoin(outputs, eq(outputs.id, connections.outputId))
    .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
    .where(and(eq(connections.workspaceId, workspaceId), isNull(audiences.deletedAt)));
}

type Connected = Awaited<ReturnType<typeof connected>>[number];

/** Whom a list is to have, by mpid, with the identities that the partner takes of each. */
export type Meant = Map<string, readonly string[]>;

/** What is known of people. */
export interface Known {
  profiles: Profiles;
  teams: Teams;
}

/** What is wrong with a connection, or whom it has in which list. */
interface Found {
  problems: string[];
  there?: { list: SimList; meant: Meant };
}

/** Each list at the partner has whom the connections have that send to it: the members of an audience, or of a variant. */
export async function memberProblems(world: World, known: Known): Promise<string[]> {
  const problems: string[] = [];
  const wanted = new Map<SimList, Meant>();
  for (const one of await connected(world)) {
    const found = await look(world, one, known);
    problems.push(...found.problems);
    if (!found.there) continue;
    const { list, meant } = found.there;
    wanted.set(list, new Map([...(wanted.get(list) ?? []), ...meant]));
  }
  return [...problems, ...[...wanted].flatMap(([list, meant]) => differences(list, meant))];
}

async function look(world: World, of: Connected, { profiles, teams }: Known): Promise<Found> {
  const { connection, audience, variant } = of;
  const list = world.partner.lists.get(connection.externalId ?? '');
  if (connection.status === 'removed') {
    if (!list || list.gone || connection.removal?.outcome === 'given_up') return { problems: [] };
    return { problems: [], there: { list, meant: new Map() } };
  }
  const where = `Connection ${connection.id} (${of.plugin}, audience ${audience.id}${variant ? `, variant ${variant.name}` : ''})`;
  const wrong = (what: string): Found => ({ problems: [`${where} ${what}.`] });
  if (connection.deliveredVersion !== audience.version) {
    return wrong(`has version ${connection.deliveredVersion} of ${audience.version}`);
  }
  if (connection.externalId === null)
    return audience.version === 0 ? { problems: [] } : wrong('was never made');
  if (!list) return wrong(`speaks of ${connection.externalId}`);
  if (list.deleted) return wrong(`sends to ${list.id}, which the hub had deleted`);
  // Nobody has told the hub yet, because it had nothing to say to the partner.
  if (list.gone && !list.missedBy.has(connection.id)) return { problems: [] };
  if (list.gone) return wrong('is linked to a list that it knows to be gone');
  const problems: string[] = [];
  const called = list.shared ? SHARED_LIST : nameOf(of);
  if (list.name !== called) problems.push(`${where} is called ${list.name}, not ${called}.`);
  const rows = await rowsOf(world, audience.id, audience.version);
  const target = targetOfVariant(variant);
  const meant: Meant = new Map();
  const mpids = mpidsOf(profiles);
  for (const { person } of rows) {
    const mpid = mpids.get(idOf(person));
    if (mpid === undefined) problems.push(`${idOf(person)} is in a file, and no profile.`);
    else if (isInTarget(target, mpid)) meant.set(mpid, accepted(of.plugin, profiles.get(mpid) ?? []));
  }
  problems.push(...untold(rows, profiles, mpids));
  problems.push(...ownProblems(connection, { list, meant, teams }).map((text) => `${where}: ${text}`));
  problems.push(...(await countProblems(world, connection.id, { list, meant })));
  return { problems, there: { list, meant } };
}

function nameOf({ audience: { name, externalName }, variant }: Connected): string {
  return partnerAudienceName({ name, externalName, variantName: variant?.name ?? null });
}

/**
 * Rows of the file that the version came from, or the newest one before it: who is a member, without asking the ledger.
 * Other versions are of people who left.
 */
export async function rowsOf(
  { db, files, leavers }: World,
  audienceId: number,
  version: number,
): Promise<Row[]> {
  const [made] = await db
    .select({ revision: imports.revision })
    .from(audienceVersions)
    .innerJoin(imports, eq(imports.id, audienceVersions.importId))
    .where(and(eq(audienceVersions.audienceId, audienceId), lte(audienceVersions.version, version)))
    .orderBy(desc(audienceVersions.version))
    .limit(1);
  const left = new Set(leavers.map(({ person }) => person));
  const rows = files.get(made?.revision ?? '')?.rows ?? [];
  return rows.filter(({ person }) => !left.has(person));
}

/** Identities of the file of a published version that nobody wrote down. */
function untold(rows: readonly Row[], profiles: Profiles, mpids: Map<string, string>): string[] {
  return rows.flatMap((row) => {
    const known = profiles.get(mpids.get(idOf(row.person)) ?? '') ?? [];
    return identitiesOfRow(row)
      .filter((one) => !known.includes(one))
      .map((one) => `${idOf(row.person)} was not taught ${one}.`);
  });
}

function accepted(plugin: string, identities: readonly string[]): string[] {
  const types: readonly string[] = IDENTITIES_OF[plugin as SimPlugin];
  return identities.filter((one) => types.includes(one.slice(0, one.indexOf('='))));
}

/** Whom the partner lost are there again where that was asked for, and attributes are what they are where they are told. */
function ownProblems(
  { id, attributes }: Connected['connection'],
  { list, meant, teams }: { list: SimList; meant: Meant; teams: Teams },
): string[] {
  return [...meant].flatMap(([mpid, identities]) => {
    if (identities.length === 0 || list.refused.has(mpid)) return [];
    const has = list.members.get(mpid);
    if (!has) return list.lost.get(mpid)?.has(id) ? [`${mpid} was lost, and not sent again.`] : [];
    const [is, told] = [teams.get(mpid), has.attributes[TEAM]];
    // Another connection of the list may tell nothing.
    if (list.shared || !attributes.includes(TEAM) || is === told) return [];
    return [`${mpid} is in team ${told}, not ${is}.`];
  });
}

/** Nobody else is there, but whom the partner would not let go. */
function differences(list: SimList, meant: Meant): string[] {
  const problems: string[] = [];
  for (const [mpid, identities] of meant) {
    const has = list.members.get(mpid);
    const isRefused = ['add', 'replace'].includes(list.refused.get(mpid) ?? '');
    if (identities.length === 0 || (!has && (isRefused || list.lost.has(mpid)))) continue;
    if (!has) problems.push(`${mpid} is missing: ${list.story.get(mpid)?.join(', ')}.`);
    else if (!isRefused && has.identities.join() !== identities.join()) {
      problems.push(`${mpid} is there with ${has.identities.join()}, not ${identities.join()}.`);
    }
  }
  for (const mpid of list.members.keys()) {
    if (!meant.has(mpid) && list.refused.get(mpid) !== 'remove') problems.push(`${mpid} is there.`);
  }
  return problems.map((text) => `${list.id} (${list.plugin}${list.shared ? ', shared' : ''}): ${text}`);
}
