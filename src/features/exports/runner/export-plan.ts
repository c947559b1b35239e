import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { FULL_AUDIENCE, targetOfVariant, type AudienceTarget } from '../../../domain/audiences/index.js';
import { archiveName, exportFileNames, type ExportFile } from '../../../domain/names/index.js';
import { isIdentityType, type IdentityType } from '../../../kit/index.js';
import {
  abTests,
  abVariants,
  audiences,
  exportsTable,
  workspaces,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import type { ArchiveEntry } from '../archive/write-archive.js';
import { ExportFailure } from './export-failure.js';

export type ExportRow = typeof exportsTable.$inferSelect;

/** What is fixed at the first run, so that every later one makes the same archive. */
export interface ExportPlan {
  archiveName: string;
  /** When the memberships were read: the moment of the first run. */
  scannedAt: Date;
  identityTypes: IdentityType[];
  entries: ArchiveEntry[];
}

/** An audience of an export, locked so that it stays what it is until the transaction ends. */
export interface LockedAudience {
  id: number;
  version: number;
}

/**
 * Locks the export's audiences against deletion; throws ExportFailure where one was deleted. Whoever needs
 * audiences and exports locks the audiences first.
 */
export async function lockAudiences(tx: Transaction, row: ExportRow): Promise<LockedAudience[]> {
  const found = await tx
    .select({ id: audiences.id, version: audiences.version })
    .from(audiences)
    .where(live(row))
    .orderBy(audiences.id)
    .for('share');
  mustHaveAll(row, found);
  return found;
}

/** Fixes the versions of an export whose lease is held, where no earlier run did. */
export async function fixVersions(
  tx: Transaction,
  row: ExportRow,
  locked: readonly LockedAudience[],
): Promise<ExportRow> {
  if (row.versions) return row;
  const versions = Object.fromEntries(locked.map((audience) => [String(audience.id), audience.version]));
  const [fixed] = await tx
    .update(exportsTable)
    .set({ versions, archiveName: archiveName(row.id, scannedAtOf(row)) })
    .where(eq(exportsTable.id, row.id))
    .returning();
  return fixed ?? row;
}

/** What is to be written. Throws ExportFailure where an audience was deleted meanwhile. */
export async function planOf(db: Database, row: ExportRow): Promise<ExportPlan> {
  const found = await db
    .select({ id: audiences.id, name: audiences.name, workspace: workspaces.number })
    .from(audiences)
    .innerJoin(workspaces, eq(workspaces.id, audiences.workspaceId))
    .where(live(row));
  mustHaveAll(row, found);
  const byId = new Map(found.map((audience) => [audience.id, audience]));
  const chosen = row.audienceIds.flatMap((id) => byId.get(id) ?? []);
  const scannedAt = scannedAtOf(row);
  const identityTypes = row.identityTypes.filter((type) => isIdentityType(type));
  const variants = await variantsOf(db, row);
  const contents = chosen.flatMap((audience) => contentsOf(audience, variants.get(audience.id) ?? []));
  const names = exportFileNames(contents, scannedAt);
  const entries = contents.map(({ audienceId: id, workspace, target }, index) => ({
    fileName: names[index] ?? `${id}-${index}.csv`,
    source: {
      key: { audienceId: id, workspace },
      version: row.versions?.[String(id)] ?? 0,
      target,
      identityTypes,
      style: { scannedAt, neutraliseFormulas: row.neutraliseFormulas },
    },
  }));
  return {
    archiveName: row.archiveName ?? archiveName(row.id, scannedAt),
    scannedAt,
    identityTypes,
    entries,
  };
}

type AbVariant = typeof abVariants.$inferSelect;

/** What goes into one CSV. */
interface Content extends ExportFile {
  workspace: number;
  target: AudienceTarget;
}

/** The variants that were chosen, or the full audience where none was. */
function contentsOf(
  { id, name, workspace }: { id: number; name: string; workspace: number },
  variants: readonly AbVariant[],
): Content[] {
  const about = { audienceId: id, audienceName: name, workspace };
  if (variants.length === 0) return [{ ...about, target: FULL_AUDIENCE }];
  return variants.map((variant) => ({
    ...about,
    variantName: variant.name,
    target: targetOfVariant(variant),
  }));
}

/** The export's variants by audience. Those of a test that was deleted since are known still. */
async function variantsOf(db: Database, row: ExportRow): Promise<Map<number, AbVariant[]>> {
  const byAudience = new Map<number, AbVariant[]>();
  if (row.variantIds.length === 0) return byAudience;
  const found = await db
    .select({ audienceId: abTests.audienceId, variant: abVariants })
    .from(abVariants)
    .innerJoin(abTests, eq(abTests.id, abVariants.testId))
    .where(inArray(abVariants.id, row.variantIds))
    .orderBy(asc(abVariants.position));
  for (const { audienceId, variant } of found) {
    byAudience.set(audienceId, [...(byAudience.get(audienceId) ?? []), variant]);
  }
  return byAudience;
}

/** The export's row. */
export async function exportRow(db: Database, id: string): Promise<ExportRow> {
  const [row] = await db.select().from(exportsTable).where(eq(exportsTable.id, id));
  if (!row) throw new ExportFailure('EXPORT_GONE', `The export ${id} is not there any more.`);
  return row;
}

/** The first run stamps its beginning; later runs keep it. */
function scannedAtOf(row: ExportRow): Date {
  return row.startedAt ?? row.createdAt;
}

function live(row: ExportRow) {
  return and(
    inArray(audiences.id, row.audienceIds),
    eq(audiences.workspaceId, row.workspaceId),
    isNull(audiences.deletedAt),
  );
}

function mustHaveAll(row: ExportRow, found: readonly { id: number }[]): void {
  const there = new Set(found.map((audience) => audience.id));
  const missing = row.audienceIds.filter((id) => !there.has(id));
  if (missing.length === 0) return;
  throw new ExportFailure(
    'AUDIENCE_DELETED',
    `Audience ${missing.join(', ')} was deleted before the export was made. Ask for a new export without it.`,
  );
}
