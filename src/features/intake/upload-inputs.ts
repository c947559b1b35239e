import { Injectable } from '@nestjs/common';
import { and, asc, eq } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { ContextFactory } from '../../host/context/index.js';
import { inputs, workspaces, type Database } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';

const PLUGIN = 'api-upload';

/** The input that a workspace's uploads come through, and what it allows. */
export interface UploadInput {
  row: typeof inputs.$inferSelect;
  maxBytes: number;
  maxRecords: number;
  keepFileDays: number;
}

/** Finds the input of uploads; a workspace without one gets it with the first upload. */
@Injectable()
export class UploadInputs {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly contexts: ContextFactory,
  ) {}

  /** Throws FORBIDDEN where it is switched off. */
  async of(workspaceId: string): Promise<UploadInput> {
    const row = (await this.find(this.db, workspaceId)) ?? (await this.make(workspaceId));
    if (!row.enabled) {
      throw new HubError('FORBIDDEN', 'Uploads to this workspace are switched off. Enable its input.');
    }
    return this.opened(row);
  }

  /** The one with this id; undefined where it is gone or switched off. */
  async byId(id: string | null): Promise<UploadInput | undefined> {
    if (id === null) return undefined;
    const [row] = await this.db.select().from(inputs).where(eq(inputs.id, id));
    return row?.enabled ? this.opened(row) : undefined;
  }

  private async opened(row: UploadInput['row']): Promise<UploadInput> {
    const { settings } = await this.contexts.input(row);
    const { maxBytes, maxRecords, keepFileDays } = settings as Record<string, number>;
    return { row, maxBytes: maxBytes ?? 0, maxRecords: maxRecords ?? 0, keepFileDays: keepFileDays ?? 0 };
  }

  private async find(db: Pick<Database, 'select'>, workspaceId: string) {
    const [row] = await db
      .select()
      .from(inputs)
      .where(and(eq(inputs.workspaceId, workspaceId), eq(inputs.plugin, PLUGIN)))
      .orderBy(asc(inputs.createdAt), asc(inputs.id))
      .limit(1);
    return row;
  }

  /** Under the lock of the workspace, so that two first uploads make one input. */
  private make(workspaceId: string) {
    return this.db.transaction(async (tx) => {
      await tx
        .select({ id: workspaces.id })
        .from(workspaces)
        .where(eq(workspaces.id, workspaceId))
        .for('update');
      const there = await this.find(tx, workspaceId);
      if (there) return there;
      const values = {
        workspaceId,
        plugin: PLUGIN,
        name: 'API upload',
        settings: {},
        routing: 'workspace' as const,
      };
      const [row] = await tx.insert(inputs).values(values).returning();
      if (!row) throw notFound('input', PLUGIN);
      return row;
    });
  }
}
