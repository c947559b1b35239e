import { and, eq, inArray, sql } from 'drizzle-orm';
import type { ContextFactory } from '../../../host/context/index.js';
import {
  isScheduled,
  type Context,
  type ListedFile,
  type RefusedFile,
  type ScheduledInput,
  type SourceFile,
} from '../../../kit/index.js';
import { inputs, sources, type Database, type ImportProblem } from '../../../platform/database/index.js';
import type { Leases } from '../../../platform/lease/index.js';
import { classify } from './classify.js';
import { notScheduled } from './not-scheduled.js';
import type { NewImports } from './new-imports.js';
import { aroundFrom } from './rounds.js';
import { Router } from './routing.js';

type Input = typeof inputs.$inferSelect;
type Source = typeof sources.$inferSelect;
/** Settings or credentials; only the plugin knows more of them. */
type Fields = Record<string, unknown>;

type FilesOf = (plugin: ScheduledInput, ctx: Context<Fields, Fields>) => AsyncIterable<ListedFile>;

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
    private readonly imports: NewImports,
  ) {}

  /** One scan of an input at a time in all processes. Throws ConnectorError where the source cannot be listed. */
  async scan(input: Input, signal: AbortSignal): Promise<ScanResult> {
    return this.leases.exclusively(`scan:${input.id}`, signal, async (held) => {
      const cursor = await this.cursorOf(input);
      const files: FilesOf = (plugin, ctx) => aroundFrom(plugin, ctx, cursor);
      const result = await this.take(input, held.signal, files, (plugin, key) =>
        this.noteCursor(input, plugin, key),
      );
      await this.noteEnd(input, undefined);
      return result;
    });
  }

  /** As {@link scan}, of these keys alone. */
  async scanKeys(input: Input, keys: readonly string[], signal: AbortSignal): Promise<ScanResult> {
    return this.leases.exclusively(`scan:${input.id}`, signal, (held) =>
      this.take(input, held.signal, (plugin, ctx) => plugin.trigger.notices?.look(ctx, keys) ?? noFiles()),
    );
  }

  /** Remembers at the input why it could not be listed, or that what it was told cannot be read. */
  async noteError({ id }: Pick<Input, 'id'>, { code, message }: ImportProblem): Promise<void> {
    await this.db.update(inputs).set({ lastScanError: { code, message } }).where(eq(inputs.id, id));
  }

  private async take(
    input: Input,
    signal: AbortSignal,
    filesOf: FilesOf,
    onChunk?: (plugin: ScheduledInput, lastKey: string) => Promise<void>,
  ): Promise<ScanResult> {
    const result: ScanResult = { listed: 0, unchanged: 0, queued: [], refused: [], tombstoned: 0 };
    const router = new Router(this.db, input);
    const ready = await this.contexts.input(input);
    const { plugin } = ready;
    if (!isScheduled(plugin)) throw notScheduled(plugin.id);
    let chunk: ListedFile[] = [];
    try {
      for await (const file of filesOf(plugin, ready.context(signal))) {
        chunk.push(file);
        if (chunk.length < CHUNK) continue;
        await this.takeChunk(input, router, chunk, result);
        await onChunk?.(plugin, file.key);
        chunk = [];
      }
      await this.takeChunk(input, router, chunk, result);
    } catch (error) {
      const failure = signal.aborted ? error : ready.failure(error);
      await this.noteEnd(input, failure instanceof Error ? failure : undefined);
      throw failure;
    }
    return result;
  }

  /** As of now: a scan before this one may have been cut off while this one waited for its turn. */
  private async cursorOf({ id }: Input): Promise<string | null> {
    const [row] = await this.db.select({ cursor: inputs.scanCursor }).from(inputs).where(eq(inputs.id, id));
    return row?.cursor ?? null;
  }

  private async noteCursor({ id }: Input, { trigger }: ScheduledInput, scanCursor: string): Promise<void> {
    if (trigger.listAfter === undefined) return;
    await this.db.update(inputs).set({ scanCursor }).where(eq(inputs.id, id));
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
    for (const file of files) await this.takeFile(input, router, file, byKey.get(file.key), result);
  }

  private async takeFile(
    input: Input,
    router: Router,
    file: ListedFile,
    source: Source | undefined,
    result: ScanResult,
  ): Promise<void> {
    const found = await classify(router, file, source);
    if (found.what === 'tombstoned') result.tombstoned += 1;
    else if (found.what === 'unchanged') result.unchanged += 1;
    else if (found.what === 'refused') {
      result.refused.push(await this.refuse(input, file, found.revision, found.problem));
    } else result.queued.push(await this.queue(input, found.file, found.workspaceId));
  }

  private async queue(input: Input, file: SourceFile, workspaceId: string): Promise<string> {
    const { key, revision, audienceName, sizeBytes, modifiedAt, shape, onUnknown, tombstones } = file;
    const source = { sizeBytes, modifiedAt: modifiedAt.toISOString(), shape, onUnknown, tombstones };
    const made = { inputId: input.id, workspaceId, key, revision, audienceName, source };
    return (await this.db.transaction((tx) => this.imports.queue(tx, made))).id;
  }

  private async refuse(
    { id: inputId, workspaceId }: Input,
    file: SourceFile | RefusedFile,
    revision: string,
    problem: ImportProblem,
  ): Promise<string> {
    const audienceName = 'audienceName' in file ? file.audienceName : file.key.slice(0, 255);
    const refused = { inputId, workspaceId, key: file.key, revision, audienceName };
    return (await this.db.transaction((tx) => this.imports.refuse(tx, refused, problem))).id;
  }

  private async noteEnd(input: Input, error: (Error & { code?: string }) | undefined): Promise<void> {
    const lastScanError =
      error === undefined ? null : { code: error.code ?? 'UNEXPECTED', message: error.message };
    const set =
      error === undefined ? { lastScanAt: sql`now()`, lastScanError, scanCursor: null } : { lastScanError };
    await this.db.update(inputs).set(set).where(eq(inputs.id, input.id));
  }
}

async function* noFiles(): AsyncGenerator<ListedFile> {}
