import { and, eq, inArray, sql } from 'drizzle-orm';
import type { ContextFactory } from '../../../host/context/index.js';
import type { ListedFile, RefusedFile, SourceFile } from '../../../kit/index.js';
import {
  imports,
  inputs,
  sources,
  type Database,
  type ImportProblem,
  type Transaction,
} from '../../../platform/database/index.js';
import type { Leases } from '../../../platform/lease/index.js';
import { rememberedRevision, Router } from './routing.js';
import { supersedeOlder } from './supersede.js';

type Input = typeof inputs.$inferSelect;
type Source = typeof sources.$inferSelect;

/** What a scan found. */
export interface ScanResult {
  /** Keys that are files of this input. */
  listed: number;
  /** Same key and revision as before. */
  unchanged: number;
  /** Imports that were queued. */
  queued: string[];
  /** Failed imports that were listed: bad keys, unknown seats. */
  refused: string[];
  /** Keys whose audience was deleted and that make none again. */
  tombstoned: number;
}

/** Keys compared with the database at once. */
const CHUNK = 500;

/** Lists an input's files and queues an import for every new or changed one. */
export class Scanner {
  constructor(
    private readonly db: Database,
    private readonly contexts: ContextFactory,
    private readonly leases: Leases,
    /** Hears of a failed import that was listed, inside its transaction. */
    private readonly onRefused: (tx: Transaction, row: typeof imports.$inferSelect) => Promise<void>,
  ) {}

  /** One scan of an input at a time in all processes. Throws ConnectorError where the source cannot be listed. */
  async scan(input: Input, signal: AbortSignal): Promise<ScanResult> {
    return this.leases.exclusively(`scan:${input.id}`, signal, (held) => this.list(input, held));
  }

  private async list(input: Input, signal: AbortSignal): Promise<ScanResult> {
    const result: ScanResult = { listed: 0, unchanged: 0, queued: [], refused: [], tombstoned: 0 };
    const router = new Router(this.db, input);
    const ready = await this.contexts.input(input);
    let chunk: ListedFile[] = [];
    try {
      for await (const file of ready.plugin.trigger.list(ready.context(signal))) {
        chunk.push(file);
        if (chunk.length < CHUNK) continue;
        await this.takeChunk(input, router, chunk, result);
        chunk = [];
      }
      await this.takeChunk(input, router, chunk, result);
    } catch (error) {
      const failure = signal.aborted ? error : ready.failure(error);
      await this.noteEnd(input, failure instanceof Error ? failure : undefined);
      throw failure;
    }
    await this.noteEnd(input, undefined);
    return result;
  }

  private async takeChunk(input: Input, router: Router, files: readonly ListedFile[], result: ScanResult) {
    if (files.length === 0) return;
    result.listed += files.length;
    const keys = files.map((file) => file.key);
    const known = await this.db
      .select()
      .from(sources)
      .where(and(eq(sources.inputId, input.id), inArray(sources.key, keys)));
    const byKey = new Map(known.map((source) => [source.key, source]));
    for (const file of files) await this.take(input, router, file, byKey.get(file.key), result);
  }

  private async take(
    input: Input,
    router: Router,
    file: ListedFile,
    source: Source | undefined,
    result: ScanResult,
  ): Promise<void> {
    if (source?.tombstonedAt) {
      result.tombstoned += 1;
      return;
    }
    if ('refused' in file) {
      if (source?.revision === file.revision) result.unchanged += 1;
      else result.refused.push(await this.refuse(input, file, file.revision, file.refused));
      return;
    }
    const route = await router.route(file);
    const revision = rememberedRevision(file, route);
    if (source?.revision === revision) result.unchanged += 1;
    else if ('problem' in route) result.refused.push(await this.refuse(input, file, revision, route.problem));
    else result.queued.push(await this.queue(input, file, route.workspaceId));
  }

  /**
   * Notes the revision and queues its import in one transaction, so a file is neither forgotten nor taken
   * twice. An older import of the key that waits or is held gives way to the newer file.
   */
  private async queue(input: Input, file: SourceFile, workspaceId: string): Promise<string> {
    const { key, revision, audienceName, sizeBytes, modifiedAt, shape, onUnknown, tombstones } = file;
    return this.db.transaction(async (tx) => {
      const source = await this.note(tx, input, key, revision);
      const [made] = await tx
        .insert(imports)
        .values({
          workspaceId,
          inputId: input.id,
          sourceId: source.id,
          sourceKey: key,
          revision,
          audienceId: source.audienceId,
          audienceName,
          source: { sizeBytes, modifiedAt: modifiedAt.toISOString(), shape, onUnknown, tombstones },
        })
        .returning({ id: imports.id, sequence: imports.sequence });
      if (made === undefined) throw new Error('The import was not written.');
      await supersedeOlder(tx, { sourceId: source.id, sequence: made.sequence });
      return made.id;
    });
  }

  private async refuse(
    input: Input,
    file: SourceFile | RefusedFile,
    revision: string,
    problem: ImportProblem,
  ): Promise<string> {
    return this.db.transaction(async (tx) => {
      const source = await this.note(tx, input, file.key, revision);
      const [made] = await tx
        .insert(imports)
        .values({
          workspaceId: input.workspaceId,
          inputId: input.id,
          sourceId: source.id,
          sourceKey: file.key,
          revision,
          audienceName: 'audienceName' in file ? file.audienceName : file.key.slice(0, 255),
          source: {},
          state: 'failed',
          error: { code: problem.code, message: problem.message, step: 'fetch' },
          finishedAt: sql`now()`,
        })
        .returning();
      if (made === undefined) throw new Error('The import was not written.');
      await this.onRefused(tx, made);
      return made.id;
    });
  }

  private async note(tx: Transaction, input: Input, key: string, revision: string): Promise<Source> {
    const [source] = await tx
      .insert(sources)
      .values({ inputId: input.id, key, revision })
      .onConflictDoUpdate({
        target: [sources.inputId, sources.key],
        set: { revision, updatedAt: sql`now()` },
      })
      .returning();
    if (source === undefined) throw new Error('The source was not written.');
    return source;
  }

  private async noteEnd(input: Input, error: (Error & { code?: string }) | undefined): Promise<void> {
    const lastScanError =
      error === undefined ? null : { code: error.code ?? 'UNEXPECTED', message: error.message };
    const set = error === undefined ? { lastScanAt: sql`now()`, lastScanError } : { lastScanError };
    await this.db.update(inputs).set(set).where(eq(inputs.id, input.id));
  }
}
