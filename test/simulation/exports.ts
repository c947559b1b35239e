import { and, asc, eq, isNull, notInArray } from 'drizzle-orm';
import { isInTarget, targetOfVariant } from '../../src/domain/audiences/index.js';
import { ExportsService } from '../../src/features/exports/exports.service.js';
import type { IdentityType } from '../../src/kit/index.js';
import { abTests, abVariants, exportsTable } from '../../src/platform/database/index.js';
import { ADMIN } from '../support/delivery-rig.js';
import { archiveProblems, type Contents } from './audit-archive.js';
import { rowsOf } from './audit-members.js';
import { mpidsOf, profilesOf, type Profiles } from './audit-profiles.js';
import { idOf } from './people.js';
import type { Step } from './steps.js';
import type { World } from './world.js';

const TYPES: readonly IdentityType[][] = [
  ['customer_id', 'email', 'phone'],
  ['email'],
  ['phone', 'customer_id'],
];

/** Asks for an archive of an audience or two, or of variants of them. */
export async function askForExport(
  world: World,
  { audience, pick, both }: Extract<Step, { do: 'export' }>,
): Promise<void> {
  const ids = [await world.audienceId(audience), both ? await world.audienceId(audience + 1) : undefined];
  const audienceIds = ids.filter((id) => id !== undefined);
  const [first] = audienceIds;
  if (first === undefined) return;
  const variantIds = pick % 2 === 0 ? await liveVariantsOf(world, first) : [];
  const identityTypes = TYPES[pick % TYPES.length] ?? [];
  world.exportsAsked += 1;
  await world.hub
    .get(ExportsService)
    .create(ADMIN, { audienceIds, variantIds, identityTypes, neutraliseFormulas: pick % 5 === 0 });
}

/** Ids of the variants of an audience whose test was not deleted. */
export async function liveVariantsOf({ db }: World, audienceId: number): Promise<string[]> {
  const rows = await db
    .select({ id: abVariants.id })
    .from(abVariants)
    .innerJoin(abTests, eq(abTests.id, abVariants.testId))
    .where(and(eq(abTests.audienceId, audienceId), isNull(abTests.deletedAt)))
    .orderBy(asc(abVariants.position));
  return rows.map(({ id }) => id);
}

/** Archives are held against what is known at the moment at which they were made. */
export async function lookAtExports(world: World): Promise<void> {
  const { db, workspaceId, lookedAt, exportsAsked } = world;
  if (lookedAt.size >= exportsAsked) return;
  const ended = await db
    .select()
    .from(exportsTable)
    .where(
      and(
        eq(exportsTable.workspaceId, workspaceId),
        notInArray(exportsTable.state, ['queued', 'running']),
        notInArray(exportsTable.id, [...lookedAt]),
      ),
    );
  if (ended.length === 0) return;
  const profiles = await profilesOf(world);
  for (const row of ended) {
    lookedAt.add(row.id);
    const problems =
      row.state === 'failed'
        ? [`failed with ${row.error?.code}`]
        : await archiveProblems(world, row, await contentsOf(world, row, profiles), profiles);
    world.exportProblems.push(...problems.map((text) => `Export ${row.id}: ${text}.`));
  }
}

/** Whom each CSV is to have, in their order. */
async function contentsOf(
  world: World,
  { audienceIds, variantIds, versions }: typeof exportsTable.$inferSelect,
  profiles: Profiles,
): Promise<Contents[]> {
  const mpids = mpidsOf(profiles);
  const contents: Contents[] = [];
  for (const audienceId of audienceIds) {
    const rows = await rowsOf(world, audienceId, versions?.[String(audienceId)] ?? 0);
    const members = rows.map(({ person }) => mpids.get(idOf(person)) ?? idOf(person));
    const variants = await variantsOf(world, audienceId, variantIds);
    for (const variant of variants.length > 0 ? variants : [null]) {
      const target = targetOfVariant(variant);
      contents.push({ audienceId, members: members.filter((mpid) => isInTarget(target, mpid)) });
    }
  }
  return contents;
}

async function variantsOf({ db }: World, audienceId: number, wanted: readonly string[]) {
  const rows = await db
    .select({ variant: abVariants })
    .from(abVariants)
    .innerJoin(abTests, eq(abTests.id, abVariants.testId))
    .where(eq(abTests.audienceId, audienceId))
    .orderBy(asc(abVariants.position));
  return rows.map(({ variant }) => variant).filter(({ id }) => wanted.includes(id));
}
