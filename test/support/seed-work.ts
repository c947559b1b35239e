import { eq } from 'drizzle-orm';
import {
  audienceVersions,
  connections,
  deliveries,
  faults,
  imports,
  inputs,
  outputs,
  sources,
  type Database,
} from '../../src/platform/database/index.js';
import type { SeededWorkspace } from './seed.js';

/** An output, a connection of the audience to it with an open fault, and an open delivery. Returns the connection's id. */
export async function seedConnection(
  db: Database,
  workspace: Pick<SeededWorkspace, 'id'>,
  audienceId: number,
  name: string,
): Promise<string> {
  const [output] = await db
    .insert(outputs)
    .values({ workspaceId: workspace.id, plugin: 'webhook', name, settings: {} })
    .returning();
  const [connection] = await db
    .insert(connections)
    .values({ workspaceId: workspace.id, audienceId, outputId: output?.id ?? '', status: 'faulted' })
    .returning();
  const connectionId = connection?.id ?? '';
  await db.insert(faults).values({
    workspaceId: workspace.id,
    connectionId,
    kind: 'auth',
    code: 'HTTP_401',
    message: 'The partner refused the credentials.',
  });
  await db
    .insert(deliveries)
    .values({ workspaceId: workspace.id, connectionId, fromVersion: 0, toVersion: 1, state: 'faulted' });
  return connectionId;
}

/** An input with one source whose last import made the audience's versions. Returns the input's id. */
export async function seedSource(
  db: Database,
  workspace: SeededWorkspace,
  audienceId: number,
  key: string,
  tombstones: boolean,
): Promise<string> {
  const [input] = await db
    .insert(inputs)
    .values({
      workspaceId: workspace.id,
      plugin: 'folder-drop',
      name: key,
      settings: {},
      routing: 'workspace',
    })
    .returning();
  const inputId = input?.id ?? '';
  const [source] = await db.insert(sources).values({ inputId, key, revision: 'r1', audienceId }).returning();
  const [made] = await db
    .insert(imports)
    .values({
      workspaceId: workspace.id,
      inputId,
      sourceId: source?.id,
      sourceKey: key,
      revision: 'r1',
      audienceId,
      audienceName: key,
      source: { tombstones },
      state: 'published',
    })
    .returning();
  await db
    .update(audienceVersions)
    .set({ importId: made?.id })
    .where(eq(audienceVersions.audienceId, audienceId));
  return inputId;
}
