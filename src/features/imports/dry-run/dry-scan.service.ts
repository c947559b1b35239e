import { Injectable } from '@nestjs/common';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { ContextFactory, type ReadyInput } from '../../../host/context/index.js';
import { isScheduled, type ListedFile } from '../../../kit/index.js';
import {
  audiences,
  inputs,
  sources,
  workspaces,
  type Database,
  type ImportProblem,
} from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { scopedTo, WorkspaceScope, type Principal } from '../../tenancy/index.js';
import { classify, type Classified } from '../scan/classify.js';
import { notScheduled } from '../scan/not-scheduled.js';
import { Router } from '../scan/routing.js';
import { refusedUnread, type DryRunResult } from './dry-run.js';
import { DryRunService, type RoutedFile } from './dry-run.service.js';
import { answerOf, TOMBSTONED } from './failures.js';

type Input = typeof inputs.$inferSelect;
type Source = typeof sources.$inferSelect;

/** Keys compared with the database at once. */
const CHUNK = 500;
/** New and changed files that the answer lists, and those of them that are read. The others are counted. */
const MAX_LISTED = 1000;
const MAX_READ = 20;

/** A file that a scan would take up or refuse. */
export interface DryScanFile {
  key: string;
  audienceName: string | null;
  workspaceId: string;
  /** The audience that it would refresh; null: it would make one. */
  audienceId: number | null;
  problem: ImportProblem | null;
  /** Null where it is refused unread, or more files came than one request reads. */
  preflight: DryRunResult | null;
}

/** What a scan would do. */
export interface DryScanResult {
  listed: number;
  unchanged: number;
  tombstoned: number;
  /** Files that it would import or refuse, those of other workspaces too. */
  changed: number;
  /** The first 1,000 of them that the caller may see. */
  files: DryScanFile[];
}

/** What is found at a key of an input. */
interface Found {
  file: ListedFile;
  source: Source | undefined;
  is: Classified;
}

/** Scans inputs without taking anything up. */
@Injectable()
export class DryScanService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly contexts: ContextFactory,
    private readonly scope: WorkspaceScope,
    private readonly dryRuns: DryRunService,
  ) {}

  /** Lists the input's files, and looks at the new and changed ones. */
  async scan(principal: Principal, inputId: string, signal: AbortSignal): Promise<DryScanResult> {
    const input = await this.requireInput(principal, inputId);
    const visible = await this.scope.visibleWorkspaces(principal);
    const result: DryScanResult = { listed: 0, unchanged: 0, tombstoned: 0, changed: 0, files: [] };
    return answerOf(signal, this.dryRuns.clock.now(), async () => {
      const ready = await this.contexts.input(input);
      const wanted: RoutedFile[] = [];
      for await (const { file, source, is } of this.found(input, ready, signal)) {
        result.listed += 1;
        if (is.what === 'unchanged' || is.what === 'tombstoned') {
          result[is.what] += 1;
          continue;
        }
        result.changed += 1;
        const workspaceId = is.what === 'import' ? is.workspaceId : input.workspaceId;
        const isSeen = visible === 'all' || visible.includes(workspaceId);
        if (!isSeen || result.files.length === MAX_LISTED) continue;
        const listed = shown(file, workspaceId, source, is);
        result.files.push(listed);
        if (is.what !== 'import' || wanted.length === MAX_READ) continue;
        wanted.push(await this.routed({ input, ready, source, is }));
      }
      for (const routed of wanted) {
        const listed = result.files.find(({ key }) => key === routed.file.key);
        if (listed) listed.preflight = await this.dryRuns.look(routed, signal);
      }
      return result;
    });
  }

  /** Looks at the file that lies at `key` now, whether a scan took it up before or not. */
  async file(principal: Principal, inputId: string, key: string, signal: AbortSignal): Promise<DryRunResult> {
    const input = await this.requireInput(principal, inputId);
    return answerOf(signal, this.dryRuns.clock.now(), async () => {
      const ready = await this.contexts.input(input);
      const file = await find(ready, key, signal);
      if (file === undefined) throw noSuchKey();
      const [source] = await this.sourcesOf(input, [key]);
      // As if it had never been listed: what was taken up before is looked at as well.
      const is = await classify(new Router(this.db, input), file, source && { ...source, revision: '' });
      if (is.what === 'refused') return refusedUnread(is.problem);
      if (is.what !== 'import') return refusedUnread(TOMBSTONED);
      const visible = await this.scope.visibleWorkspaces(principal);
      if (visible !== 'all' && !visible.includes(is.workspaceId)) throw noSuchKey();
      return this.dryRuns.look(await this.routed({ input, ready, source, is }), signal);
    });
  }

  private async *found(input: Input, ready: ReadyInput, signal: AbortSignal): AsyncGenerator<Found> {
    const router = new Router(this.db, input);
    for await (const chunk of chunksOf(listOf(ready, signal))) {
      const known = await this.sourcesOf(
        input,
        chunk.map(({ key }) => key),
      );
      const byKey = new Map(known.map((source) => [source.key, source]));
      for (const file of chunk) {
        const source = byKey.get(file.key);
        yield { file, source, is: await classify(router, file, source) };
      }
    }
  }

  private sourcesOf(input: Input, keys: string[]): Promise<Source[]> {
    return this.db
      .select()
      .from(sources)
      .where(and(eq(sources.inputId, input.id), inArray(sources.key, keys)));
  }

  private async routed({
    input,
    ready,
    source,
    is: { file, workspaceId },
  }: {
    input: Input;
    ready: ReadyInput;
    source: Source | undefined;
    is: Extract<Classified, { what: 'import' }>;
  }): Promise<RoutedFile> {
    const [workspace] = await this.db.select().from(workspaces).where(eq(workspaces.id, workspaceId));
    if (workspace === undefined) throw notFound('workspace', workspaceId);
    const audienceId = source?.audienceId ?? undefined;
    const [audience] =
      audienceId === undefined
        ? []
        : await this.db
            .select()
            .from(audiences)
            .where(and(eq(audiences.id, audienceId), isNull(audiences.deletedAt)));
    return { input, ready, file, workspace, audience };
  }

  private async requireInput(principal: Principal, inputId: string): Promise<Input> {
    const [input] = await this.db
      .select()
      .from(inputs)
      .where(and(eq(inputs.id, inputId), scopedTo(principal, inputs.workspaceId)));
    if (input === undefined) throw notFound('input', inputId);
    return input;
  }
}

/** The listing, with its errors as the connector words them. */
async function* listOf(ready: ReadyInput, signal: AbortSignal): AsyncGenerator<ListedFile> {
  const { plugin } = ready;
  if (!isScheduled(plugin)) throw notScheduled(plugin.id);
  try {
    for await (const file of plugin.trigger.list(ready.context(signal))) {
      signal.throwIfAborted();
      yield file;
    }
  } catch (error) {
    throw signal.aborted ? error : ready.failure(error);
  }
}

async function* chunksOf(files: AsyncIterable<ListedFile>): AsyncGenerator<ListedFile[]> {
  let chunk: ListedFile[] = [];
  for await (const file of files) {
    chunk.push(file);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

async function find(ready: ReadyInput, key: string, signal: AbortSignal): Promise<ListedFile | undefined> {
  for await (const file of listOf(ready, signal)) if (file.key === key) return file;
  return undefined;
}

function shown(
  file: ListedFile,
  workspaceId: string,
  source: Source | undefined,
  is: Classified,
): DryScanFile {
  return {
    key: file.key,
    audienceName: 'audienceName' in file ? file.audienceName : null,
    workspaceId,
    audienceId: source?.audienceId ?? null,
    problem: is.what === 'refused' ? is.problem : null,
    preflight: null,
  };
}

function noSuchKey(): HubError {
  return notFound('file', 'at this key');
}
