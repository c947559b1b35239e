import { and, asc, eq, gte, lt } from 'drizzle-orm';
import { sameContract, type ColumnMapping } from '../../../domain/identities/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import {
  audienceMappings,
  audiences,
  audienceVersions,
  importErrors,
  imports,
  inputs,
  sources,
  workspaces,
  type Database,
  type ImportProblem,
  type ImportRows,
  type ImportState,
  type ImportStep,
  type Transaction,
} from '../../../platform/database/index.js';
import type { WorkLease } from '../../../platform/lease/index.js';
import type { RowProblem } from '../preflight/index.js';
import { supersedeOlder } from '../scan/supersede.js';
import type { ImportProgress, ImportRow, NotedSource } from './import-work.js';

/** Problems kept row by row in the database; all of them are in the rejects CSV. */
export const LISTED_PROBLEMS = 1000;

/** What else belongs to the same change. */
type Also = (tx: Transaction) => Promise<void>;

/** A version that the ledger holds, and what it was found by. */
export interface Publication {
  /** The published version before it. */
  base: number;
  size: number;
  added: number;
  removed: number;
  mapping: ColumnMapping;
  rows: ImportRows;
  /** `workspaces.suppressionsRevision` that the changes were found at. */
  suppressions: number;
}

/** The rows behind imports. Every change of a running import is made only while its lease is held. */
export class ImportRecords {
  constructor(
    private readonly db: Database,
    private readonly lease: WorkLease,
  ) {}

  async load(id: string) {
    const [found] = await this.db
      .select({ row: imports, workspace: workspaces, input: inputs, audience: audiences })
      .from(imports)
      .innerJoin(workspaces, eq(workspaces.id, imports.workspaceId))
      .leftJoin(inputs, eq(inputs.id, imports.inputId))
      .leftJoin(audiences, eq(audiences.id, imports.audienceId))
      .where(eq(imports.id, id));
    if (found === undefined) return undefined;
    return {
      row: found.row,
      workspace: found.workspace,
      input: found.input ?? undefined,
      audience: found.audience ?? undefined,
      source: found.row.source as unknown as NotedSource,
      progress: found.row.progress as ImportProgress,
    };
  }

  /** Writes what a step found and which one is next. */
  async advance(id: string, step: ImportStep, set: Partial<ImportRow> = {}): Promise<void> {
    const written = await this.db
      .update(imports)
      .set({ ...set, step })
      .where(this.lease.isHeld(id))
      .returning({ id: imports.id });
    if (written.length === 0) throw this.lease.lost(id);
  }

  /** Ends or parks the import; the lease is let go. */
  async end(id: string, state: ImportState, set: Partial<ImportRow> = {}, also?: Also): Promise<void> {
    await this.held(id, async (tx) => {
      await this.endIn(tx, id, state, set);
      await also?.(tx);
    });
  }

  /** `again`: the source is forgotten, so that the next scan takes the same revision up once more. */
  async fail(row: ImportRow, problem: ImportProblem, again: boolean, also: Also): Promise<void> {
    await this.held(row.id, async (tx) => {
      await this.endIn(tx, row.id, 'failed', { error: problem });
      await also(tx);
      if (again && row.sourceId) {
        await tx
          .update(sources)
          .set({ revision: '' })
          .where(and(eq(sources.id, row.sourceId), eq(sources.revision, row.revision)));
      }
    });
  }

  /** Back to the queue, not before `notBefore`. */
  async putBack(id: string, step: ImportStep, notBefore: Date, set: Partial<ImportRow> = {}): Promise<void> {
    await this.held(id, (tx) =>
      tx
        .update(imports)
        .set({ ...set, state: 'queued', step, notBefore, leaseOwner: null, leaseUntil: null })
        .where(eq(imports.id, id)),
    );
  }

  /**
   * Publishes the version that the ledger holds already: the one moment at which readers begin to see it.
   * False where the audience moved, was deleted or got another mapping, or people were suppressed meanwhile; nothing
   * is changed then.
   */
  async publish(
    row: ImportRow,
    audienceId: number,
    change: Publication,
    now: Date,
    also: Also,
  ): Promise<boolean> {
    return this.held(row.id, async (tx) => {
      const [audience] = await tx.select().from(audiences).where(eq(audiences.id, audienceId)).for('update');
      if (!audience || audience.deletedAt || audience.version !== change.base) return false;
      const [workspace] = await tx
        .select({ suppressions: workspaces.suppressionsRevision })
        .from(workspaces)
        .where(eq(workspaces.id, audience.workspaceId))
        .for('share');
      if (workspace?.suppressions !== change.suppressions) return false;
      const locked = audience.mapping as ColumnMapping | null;
      if (locked !== null && !sameContract(locked, change.mapping)) return false;
      const version = change.base + 1;
      const { size, added, removed } = change;
      const mapping = change.mapping as unknown as Record<string, unknown>;
      if (locked === null) {
        await tx
          .insert(audienceMappings)
          .values({ audienceId, version: 1, mapping, importId: row.id, approvedAt: now });
      }
      await tx
        .insert(audienceVersions)
        .values({ audienceId, version, importId: row.id, size, added, removed, publishedAt: now });
      await tx
        .update(audiences)
        .set({ version, size, mapping, updatedAt: now })
        .where(eq(audiences.id, audienceId));
      await this.endIn(tx, row.id, 'published', { version, rows: change.rows });
      await also(tx);
      return true;
    });
  }

  /** Replaces the listed problems of an import, but for the first `kept`. */
  async saveProblems(importId: string, problems: readonly RowProblem[], kept = 0): Promise<void> {
    await this.held(importId, async (tx) => {
      await tx
        .delete(importErrors)
        .where(and(eq(importErrors.importId, importId), gte(importErrors.position, kept)));
      const listed = problems.slice(0, LISTED_PROBLEMS - kept);
      if (listed.length === 0) return;
      const rows = listed.map(({ row, column, code, message, value }, index) => ({
        importId,
        row,
        column,
        code,
        message,
        value,
        position: kept + index,
      }));
      await tx.insert(importErrors).values(rows);
    });
  }

  /**
   * True where an older import of the same source runs: this one has to wait for it. An older one that went
   * back to the queue, or was held, after this one was listed gives way instead, however long it would wait.
   */
  async waitsFor(row: ImportRow): Promise<boolean> {
    if (!row.sourceId) return false;
    const newer = { sourceId: row.sourceId, sequence: row.sequence };
    await this.db.transaction((tx) => supersedeOlder(tx, newer));
    const [older] = await this.db
      .select({ id: imports.id })
      .from(imports)
      .where(
        and(
          eq(imports.sourceId, row.sourceId),
          lt(imports.sequence, row.sequence),
          eq(imports.state, 'running'),
        ),
      )
      .limit(1);
    return older !== undefined;
  }

  /** The oldest import of the same source that waits, to be begun next. */
  async nextOfSource(sourceId: string): Promise<string | undefined> {
    const [next] = await this.db
      .select({ id: imports.id })
      .from(imports)
      .where(and(eq(imports.sourceId, sourceId), eq(imports.state, 'queued')))
      .orderBy(asc(imports.sequence))
      .limit(1);
    return next?.id;
  }

  private async held<T>(id: string, write: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await this.lease.assertHeld(tx, id);
      return write(tx);
    });
  }

  private async endIn(
    tx: Transaction,
    id: string,
    state: ImportState,
    set: Partial<ImportRow>,
  ): Promise<void> {
    const finishedAt = state === 'held' ? null : new Date();
    const [ended] = await tx
      .update(imports)
      .set({ ...set, state, finishedAt, leaseOwner: null, leaseUntil: null, notBefore: null })
      .where(eq(imports.id, id))
      .returning();
    if (ended) await noteEnd(tx, ended);
  }
}

async function noteEnd(tx: Transaction, row: ImportRow): Promise<void> {
  const { id, workspaceId, state, error, audienceId, sourceKey, version, added, removed, rows } = row;
  await recordAudit(tx, {
    action: `import.${state}`,
    object: { type: 'import', id },
    workspaceId,
    outcome: state === 'failed' ? 'failed' : 'done',
    code: error?.code,
    changes: {
      file: { to: sourceKey },
      ...(audienceId === null ? {} : { audienceId: { to: audienceId } }),
      ...(state === 'published' ? { version: { to: version }, members: { to: { added, removed } } } : {}),
      ...(rows === null ? {} : { rows: { to: { read: rows.read, rejected: rows.rejected } } }),
    },
  });
}
