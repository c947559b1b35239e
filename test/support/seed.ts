import type { IdentityType } from '../../src/kit/index.js';
import { codeOf, identityHashSql } from '../../src/domain/identities/index.js';
import {
  audiences,
  audienceVersions,
  organizations,
  workspaces,
  type Database,
} from '../../src/platform/database/index.js';
import type { Warehouse } from '../../src/platform/warehouse/index.js';

/** A workspace as a spec needs it: its id, and its number in the warehouse. */
export interface SeededWorkspace {
  id: string;
  number: number;
  organizationId: string;
}

/** One person of a spec. */
export interface SeededProfile {
  mpid: string;
  identities: Partial<Record<IdentityType, readonly string[]>>;
}

let seats = 0;

/** Makes an organization with one workspace. */
export async function seedWorkspace(db: Database): Promise<SeededWorkspace> {
  const seatId = `seat-${(seats += 1)}`;
  const [organization] = await db
    .insert(organizations)
    .values({ name: `Organization ${seatId}` })
    .returning();
  if (!organization) throw new Error('The organization was not made.');
  const [workspace] = await db
    .insert(workspaces)
    .values({ organizationId: organization.id, name: `Workspace ${seatId}`, seatId })
    .returning();
  if (!workspace) throw new Error('The workspace was not made.');
  return { id: workspace.id, number: workspace.number, organizationId: organization.id };
}

/** Registers profiles with their normalised identities, as an import would. */
export async function seedProfiles(
  warehouse: Warehouse,
  workspace: SeededWorkspace,
  profiles: readonly SeededProfile[],
): Promise<void> {
  for (const { mpid, identities } of profiles) {
    for (const [type, values] of Object.entries(identities) as [IdentityType, readonly string[]][]) {
      for (const value of values) {
        const params = { w: workspace.number, m: BigInt(mpid), t: codeOf(type), v: value };
        await warehouse.command(
          'INSERT INTO profiles VALUES ({w:UInt32}, {m:Int64}, {t:UInt8}, {v:String})',
          { params },
        );
        await warehouse.command(
          `INSERT INTO identities SELECT {w:UInt32}, {t:UInt8}, ${identityHashSql(type, '{v:String}')}, {v:String}, {m:Int64}`,
          { params },
        );
      }
    }
  }
}

/** Publishes an audience whose members at version 1, 2, … are `states`. Returns its id. */
export async function seedAudience(
  at: { db: Database; warehouse: Warehouse },
  workspace: SeededWorkspace,
  given: Partial<typeof audiences.$inferInsert> & { states: readonly (readonly string[])[] },
): Promise<number> {
  const { states, ...columns } = given;
  const [audience] = await at.db
    .insert(audiences)
    .values({
      workspaceId: workspace.id,
      name: 'An audience',
      kind: 'imported',
      version: states.length,
      size: states.at(-1)?.length ?? 0,
      ...columns,
    })
    .returning();
  if (!audience) throw new Error('The audience was not made.');
  let before: readonly string[] = [];
  for (const [index, members] of states.entries()) {
    const added = members.filter((mpid) => !before.includes(mpid));
    const removed = before.filter((mpid) => !members.includes(mpid));
    const version = index + 1;
    await seedLedger(at.warehouse, audience.id, version, added, removed);
    await at.db.insert(audienceVersions).values({
      audienceId: audience.id,
      version,
      size: members.length,
      added: added.length,
      removed: removed.length,
    });
    before = members;
  }
  return audience.id;
}

async function seedLedger(
  warehouse: Warehouse,
  audienceId: number,
  version: number,
  added: readonly string[],
  removed: readonly string[],
): Promise<void> {
  const rows = [...added.map((mpid) => [mpid, 1]), ...removed.map((mpid) => [mpid, -1])];
  if (rows.length === 0) return;
  const values = rows.map(([mpid, sign]) => `(${audienceId}, ${mpid}, ${version}, ${sign}, now64(3))`);
  await warehouse.command(`INSERT INTO ledger VALUES ${values.join(', ')}`);
}
