import { Injectable } from '@nestjs/common';
import { desc, eq, sql } from 'drizzle-orm';
import { recordAudit } from '../../../platform/audit/index.js';
import { imports, sources, type ImportProblem, type Transaction } from '../../../platform/database/index.js';
import { InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { ImportMail } from '../import-mail.js';
import type { NotedSource } from '../pipeline/import-work.js';
import { supersedeOlder } from './supersede.js';

type Source = typeof sources.$inferSelect;
type ImportRow = typeof imports.$inferSelect;

/** A key of an input, locked until the transaction ends. */
export interface KnownSource {
  row: Source;
  /** The newest import of the key, whatever became of it. */
  newest: ImportRow | undefined;
}

/** A file that was listed or pushed. */
export interface NewFile {
  inputId: string;
  workspaceId: string;
  key: string;
  revision: string;
  audienceName: string;
  source: NotedSource;
}

/** The one place where imports are made: of listed files and of pushed ones. */
@Injectable()
export class NewImports {
  constructor(
    private readonly mail: ImportMail,
    @InjectWorkQueue() private readonly work: WorkQueue,
  ) {}

  /** What is known of a key; locks it, so that whoever else has a file for it waits. */
  async known(tx: Transaction, inputId: string, key: string): Promise<KnownSource> {
    const row = await noted(tx, inputId, key, undefined);
    const [newest] = await tx
      .select()
      .from(imports)
      .where(eq(imports.sourceId, row.id))
      .orderBy(desc(imports.sequence))
      .limit(1);
    return { row, newest };
  }

  /**
   * Notes the revision and queues its import in one transaction, so a file is neither forgotten nor taken
   * twice. An older import of the key that waits or is held gives way to the newer file. {@link begin} it
   * after the transaction.
   */
  async queue(tx: Transaction, file: NewFile): Promise<ImportRow> {
    const source = await noted(tx, file.inputId, file.key, file.revision);
    const made = await inserted(tx, file, source, {});
    await supersedeOlder(tx, { sourceId: source.id, sequence: made.sequence });
    return made;
  }

  /** Lists a file that was read before and changes nothing as an import that is at its end. */
  async unchanged(tx: Transaction, file: NewFile, before: ImportRow): Promise<ImportRow> {
    const source = await noted(tx, file.inputId, file.key, file.revision);
    const { version, rows, step } = before;
    const end = { state: 'unchanged', version, rows, step, added: 0, removed: 0 } as const;
    return inserted(tx, file, source, { ...end, finishedAt: sql`now()` as unknown as Date });
  }

  /** Lists a file that cannot be taken as a failed import, and tells the admins. */
  async refuse(
    tx: Transaction,
    file: Omit<NewFile, 'source'>,
    { code, message }: ImportProblem,
  ): Promise<ImportRow> {
    const source = await noted(tx, file.inputId, file.key, file.revision);
    const error: ImportProblem = { code, message, step: 'fetch' };
    const end = { state: 'failed', error, finishedAt: sql`now()` as unknown as Date } as const;
    const made = await inserted(tx, file, source, end);
    await this.mail.failed(tx, made, error);
    return made;
  }

  /** Has workers begin; the sweep does it for a process that dies before. */
  async begin(importIds: readonly string[]): Promise<void> {
    for (const id of importIds) await this.work.enqueue({ kind: 'import', id });
  }
}

async function inserted(
  tx: Transaction,
  file: Omit<NewFile, 'source'> & { source?: NotedSource },
  source: Source,
  more: Partial<ImportRow>,
): Promise<ImportRow> {
  const { inputId, workspaceId, key, revision, audienceName } = file;
  const [made] = await tx
    .insert(imports)
    .values({
      workspaceId,
      inputId,
      sourceId: source.id,
      sourceKey: key,
      revision,
      // A file that is refused makes no audience, and belongs to none.
      audienceId: more.state === 'failed' ? null : source.audienceId,
      audienceName,
      source: { ...file.source },
      ...more,
    })
    .returning();
  if (made === undefined) throw new Error('The import was not written.');
  await recordAudit(tx, {
    action: more.state === undefined ? 'import.taken' : `import.${more.state}`,
    object: { type: 'import', id: made.id },
    workspaceId,
    outcome: more.state === 'failed' ? 'failed' : 'done',
    code: more.error?.code,
    changes: { file: { to: key }, inputId: { to: inputId } },
    byTheWay: true,
  });
  return made;
}

/** The row of the key with `revision` as its newest, or as it was. Locked either way. */
async function noted(
  tx: Transaction,
  inputId: string,
  key: string,
  revision: string | undefined,
): Promise<Source> {
  const [source] = await tx
    .insert(sources)
    .values({ inputId, key, revision: revision ?? '' })
    .onConflictDoUpdate({
      target: [sources.inputId, sources.key],
      set: revision === undefined ? { key } : { revision, updatedAt: sql`now()` },
    })
    .returning();
  if (source === undefined) throw new Error('The source was not written.');
  return source;
}
