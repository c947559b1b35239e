import { and, eq, inArray, isNull } from 'drizzle-orm';
import { isInTarget, targetOfVariant } from '../../src/domain/audiences/index.js';
import { typeNameSql } from '../../src/domain/identities/index.js';
import { partnerAudienceName } from '../../src/domain/names/index.js';
import {
  abVariants,
  audiences,
  audienceVersions,
  connections,
  deliveries,
  deliveryBatches,
  faults,
  imports,
  outputs,
} from '../../src/platform/database/index.js';
import type { Change, Repeat, SimList } from './partner-list.js';
import { IDENTITIES_OF, type SimPlugin } from './partner.js';
import { identitiesOfRow, idOf, type Row } from './people.js';
import type { World } from './world.js';

/** A profile as the warehouse has it: `type=value` of each identity, sorted. */
type Profiles = Map<string, string[]>;

/** What is not as it should be, once everything has come to rest. Empty: nothing. */
export async function audit(world: World): Promise<string[]> {
  const profiles = await profilesOf(world);
  const problems = [
    ...world.partner.record.violations,
    ...(await failedImports(world)),
    ...(await unexpectedFaults(world)),
    ...profileProblems(profiles),
    ...(await deliveryProblems(world)),
    ...(await repeatProblems(world)),
  ];
  for (const connection of await connected(world)) {
    problems.push(...(await memberProblems(world, connection, profiles)));
  }
  return problems;
}

async function profilesOf({ storage, number }: World): Promise<Profiles> {
  const rows = await storage.warehouse.query<{ mpid: string; identities: string[] }>(
    `SELECT toString(mpid) AS mpid, arraySort(groupUniqArray(concat(${typeNameSql('type')}, '=', value))) AS identities
     FROM profiles WHERE workspace = ${number} GROUP BY profiles.mpid`,
  );
  return new Map(rows.map(({ mpid, identities }) => [mpid, identities]));
}

/** Nobody is two profiles, no profile is two people, and what a finished import said is known. */
function profileProblems(profiles: Profiles): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [mpid, identities] of profiles) {
    const ids = identities.filter((one) => one.startsWith('customer_id='));
    if (ids.length !== 1) problems.push(`Profile ${mpid} is ${ids.join(' and ') || 'nobody'}.`);
    for (const id of ids.filter((one) => seen.has(one))) problems.push(`${id} is two profiles.`);
    for (const id of ids) seen.add(id);
  }
  return problems;
}

async function failedImports({ db, workspaceId }: World): Promise<string[]> {
  const rows = await db
    .select({ error: imports.error })
    .from(imports)
    .where(and(eq(imports.workspaceId, workspaceId), inArray(imports.state, ['failed', 'held'])));
  return rows.map(({ error }) => `An import ended with ${error?.code}: ${error?.message}`);
}

async function unexpectedFaults({ db, workspaceId }: World): Promise<string[]> {
  const rows = await db
    .select({ code: faults.code, message: faults.message, kind: faults.kind })
    .from(faults)
    .where(eq(faults.workspaceId, workspaceId));
  const known = new Set(['LIST_GONE', 'HTTP_401', 'ROWS_REJECTED']);
  return rows
    .filter(({ code, kind }) => !['retryable', 'rate_limited'].includes(kind) && !known.has(code))
    .map(({ code, message }) => `Fault ${code}: ${message}`);
}

/** Counts of what was delivered since the last time agree, and the outcomes are what the partner answered. */
async function deliveryProblems(world: World): Promise<string[]> {
  const { db, workspaceId, partner, audited } = world;
  const delivered = and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.state, 'delivered'));
  const all = await db.select().from(deliveries).where(delivered);
  const rows = all.filter(({ id }) => !audited.has(id));
  const ids = rows.map(({ id }) => id);
  const batches = await db.select().from(deliveryBatches).where(inArray(deliveryBatches.deliveryId, ids));
  const problems: string[] = [];
  for (const { id, planned, accepted, rejected, skipped } of rows) {
    audited.add(id);
    if (planned !== accepted + rejected + skipped) {
      problems.push(`Delivery ${id} planned ${planned}, and did ${accepted} + ${rejected} + ${skipped}.`);
    }
    const answers = partner.record.answersOf(id);
    const refused = refusedIn(batches.filter(({ deliveryId }) => deliveryId === id));
    const meant = [...answers].filter(([, taken]) => !taken).map(([what]) => what);
    if (refused.sort().join() !== meant.sort().join()) {
      problems.push(`Delivery ${id} says refused: ${refused.join()}; the partner refused: ${meant.join()}.`);
    }
    if (answers.size !== accepted + rejected) {
      problems.push(`Delivery ${id} says ${accepted + rejected} were sent, the partner got ${answers.size}.`);
    }
  }
  return problems;
}

function refusedIn(batches: readonly (typeof deliveryBatches.$inferSelect)[]): string[] {
  return batches.flatMap(({ operation, exceptions }) =>
    exceptions
      .filter(({ status }) => status === 'rejected')
      .map(({ mpid }) => `${changeOf(operation)} ${mpid}`),
  );
}

function changeOf(operation: string): Change {
  if (operation === 'remove') return 'remove';
  return operation === 'replace' ? 'replace' : 'add';
}

/** Nobody was added again without a reason: a lie, a crash, or identities that were learned. */
async function repeatProblems(world: World): Promise<string[]> {
  const problems: string[] = [];
  for (const repeat of world.partner.record.repeats.splice(0)) {
    const { mpid, deliveryId, before, writtenDown, list } = repeat;
    if (before === deliveryId) {
      if (writtenDown) problems.push(`Delivery ${deliveryId} sent ${mpid} again, who was written down.`);
    } else if (!(await hasLearned(world, repeat))) {
      problems.push(`Delivery ${deliveryId} added ${mpid} to ${list.id}, whom ${before} had brought there.`);
    }
  }
  return problems;
}

async function hasLearned({ db, storage, number }: World, { deliveryId, mpid }: Repeat): Promise<boolean> {
  const [delivery] = await db.select().from(deliveries).where(eq(deliveries.id, deliveryId));
  // Its connection was deleted, and with it the list is nobody's.
  if (!delivery) return true;
  const { fromIdentities, toIdentities } = delivery;
  const rows = await storage.warehouse.query(
    `SELECT 1 FROM identity_changes WHERE workspace = ${number} AND mpid = ${mpid}
       AND seq > ${fromIdentities} AND seq <= ${toIdentities} LIMIT 1`,
  );
  return rows.length > 0;
}

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

/** The partner's set is the audience's, or the variant's, with the identities that it takes. */
async function memberProblems(world: World, of: Connected, profiles: Profiles): Promise<string[]> {
  const { connection, audience, variant } = of;
  if (connection.status === 'removed') return leftOver(world, connection);
  const where = `Connection ${connection.id} (${of.plugin}, audience ${audience.id}${variant ? `, variant ${variant.name}` : ''})`;
  if (connection.deliveredVersion !== audience.version) {
    return [`${where} has version ${connection.deliveredVersion} of ${audience.version}.`];
  }
  if (connection.externalId === null) return audience.version === 0 ? [] : [`${where} was never made.`];
  const list = world.partner.lists.get(connection.externalId);
  if (!list) return [`${where} speaks of ${connection.externalId}.`];
  // Nobody has told the hub yet, because it had nothing to say to the partner.
  if (list.gone) return list.missed ? [`${where} is linked to a list that it knows to be gone.`] : [];
  const { name, externalName } = audience;
  const called = partnerAudienceName({ name, externalName, variantName: variant?.name ?? null });
  const problems = list.name === called ? [] : [`${where} is called ${list.name}, not ${called}.`];
  const rows = await rowsOf(world, audience.id, audience.version);
  const target = targetOfVariant(variant);
  const meant = new Map<string, string[]>();
  const mpids = mpidsOf(profiles);
  for (const { person } of rows) {
    const mpid = mpids.get(idOf(person));
    if (mpid === undefined) problems.push(`${idOf(person)} is in a file, and no profile.`);
    else if (isInTarget(target, mpid)) meant.set(mpid, accepted(of.plugin, profiles.get(mpid) ?? []));
  }
  problems.push(...untold(rows, profiles, mpids));
  return [...problems, ...differences(list, meant).map((text) => `${where}: ${text}`)];
}

/** Of a connection that was deleted nobody is there but whom the partner kept. */
function leftOver({ partner }: World, { id, externalId, removal }: Connected['connection']): string[] {
  const list = partner.lists.get(externalId ?? '');
  if (!list || list.gone || removal?.outcome === 'given_up') return [];
  const left = [...list.members.keys()].filter((mpid) => list.refused.get(mpid) !== 'remove');
  return left.length === 0 ? [] : [`Connection ${id} was removed, and ${left.join()} are still there.`];
}

function mpidsOf(profiles: Profiles): Map<string, string> {
  const pairs = [...profiles].flatMap(([mpid, identities]) =>
    identities
      .filter((one) => one.startsWith('customer_id='))
      .map((one): [string, string] => [one.slice('customer_id='.length), mpid]),
  );
  return new Map(pairs);
}

/** Rows of the file that the version came from: who is a member, without asking the ledger. */
async function rowsOf({ db, files }: World, audienceId: number, version: number): Promise<Row[]> {
  const [made] = await db
    .select({ revision: imports.revision })
    .from(audienceVersions)
    .innerJoin(imports, eq(imports.id, audienceVersions.importId))
    .where(and(eq(audienceVersions.audienceId, audienceId), eq(audienceVersions.version, version)));
  return files.get(made?.revision ?? '')?.rows ?? [];
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

function differences(list: SimList, meant: Map<string, string[]>): string[] {
  const problems: string[] = [];
  for (const [mpid, identities] of meant) {
    const has = list.members.get(mpid);
    const isRefused = ['add', 'replace'].includes(list.refused.get(mpid) ?? '');
    if (identities.length === 0 || (isRefused && !has)) continue;
    if (!has) problems.push(`${mpid} is missing.`);
    else if (!isRefused && has.identities.join() !== identities.join()) {
      problems.push(`${mpid} is there with ${has.identities.join()}, not ${identities.join()}.`);
    }
  }
  for (const mpid of list.members.keys()) {
    if (!meant.has(mpid) && list.refused.get(mpid) !== 'remove') problems.push(`${mpid} is there.`);
  }
  return problems;
}
