import { eq } from 'drizzle-orm';
import { partnerAudienceName } from '../../domain/names/index.js';
import {
  abVariants,
  audiences,
  connections,
  outputs,
  workspaces,
  type Database,
} from '../../platform/database/index.js';

/** A connection with what has to be known to look after it. */
export interface UpkeepSubject {
  connection: typeof connections.$inferSelect;
  output: typeof outputs.$inferSelect;
  audience: typeof audiences.$inferSelect;
  variant: typeof abVariants.$inferSelect | null;
  /** `workspaces.number`. */
  workspace: number;
}

/** The subject as it is now; undefined where the connection or its audience is gone. */
export async function readUpkeepSubject(
  db: Database,
  connectionId: string,
): Promise<UpkeepSubject | undefined> {
  const [row] = await db
    .select({
      connection: connections,
      output: outputs,
      audience: audiences,
      variant: abVariants,
      workspace: workspaces.number,
    })
    .from(connections)
    .innerJoin(outputs, eq(outputs.id, connections.outputId))
    .innerJoin(audiences, eq(audiences.id, connections.audienceId))
    .innerJoin(workspaces, eq(workspaces.id, connections.workspaceId))
    .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
    .where(eq(connections.id, connectionId));
  return row?.audience.deletedAt === null ? row : undefined;
}

/** What the audience is called at the partner. */
export function partnerNameOf({ audience, variant }: UpkeepSubject): string {
  const { name, externalName } = audience;
  return partnerAudienceName({ name, externalName, variantName: variant?.name ?? null });
}
