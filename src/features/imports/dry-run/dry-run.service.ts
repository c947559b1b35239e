import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { and, eq, isNull } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { formatOf, START_BYTES } from '../../../domain/files/index.js';
import type { ReadyInput } from '../../../host/context/index.js';
import {
  type DropLayout,
  type FileShape,
  isScheduled,
  layoutRules,
  type SourceFile,
} from '../../../kit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  audiences,
  sources,
  workspaces,
  type Database,
  type inputs,
  type OnUnknown,
} from '../../../platform/database/index.js';
import type { Config } from '../../../platform/env/index.js';
import { InjectClock, InjectConfig, InjectDatabase, InjectWarehouse } from '../../../platform/nest/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { ScheduleService } from '../../schedule/index.js';
import { WorkspaceScope, type Principal } from '../../tenancy/index.js';
import { isOurs, spool, tooLarge } from '../pipeline/fetch-step.js';
import { ImportFailure } from '../pipeline/import-failure.js';
import type { AudienceRow, ImportWork } from '../pipeline/import-work.js';
import { notScheduled } from '../scan/not-scheduled.js';
import { dropOldTrialTables } from '../sql/tables.js';
import { dryRun, refusedUnread, type DryRunResult } from './dry-run.js';
import { answerOf, bodyTooLarge, TOMBSTONED } from './failures.js';
import { DryRunScratch } from './scratch.js';

const TEN_MINUTES_MS = 10 * 60 * 1000;
/** No dry run lives as long as this; tables that are older were left by a dead process. */
const OLD_MS = 60 * 60 * 1000;

/** A file that somebody sends to have it looked at. */
export interface PushedFile {
  workspaceId: string;
  layout: DropLayout;
  /** Absent: as the first bytes say, or else the name. */
  format?: FileShape['format'] | undefined;
  fileName?: string | undefined;
  audienceId?: number | undefined;
  onUnknown?: OnUnknown | undefined;
  /** As the sender says; undefined where it does not. */
  sizeBytes: number | undefined;
  body: Readable;
}

/** A file that an input has received, and what would become of it. */
export interface ReceivedFile {
  inputId: string;
  workspaceId: string;
  /** The audience that it would refresh is found by it. */
  key: string;
  shape: FileShape;
  onUnknown: OnUnknown;
  declaredRows?: number;
  open(): Promise<Readable>;
}

/** A file of an input, and where it belongs. */
export interface RoutedFile {
  input: typeof inputs.$inferSelect;
  ready: ReadyInput;
  file: SourceFile;
  workspace: ImportWork['workspace'];
  audience: AudienceRow | undefined;
}

/** Looks at files as an import would, and writes nothing. */
@Injectable()
export class DryRunService implements OnModuleInit {
  private readonly scratch: DryRunScratch;

  constructor(
    @InjectDatabase() readonly db: Database,
    @InjectWarehouse() readonly warehouse: Warehouse,
    @InjectClock() readonly clock: Clock,
    @InjectConfig() config: Config,
    private readonly scope: WorkspaceScope,
    private readonly schedule: ScheduleService,
  ) {
    this.scratch = new DryRunScratch(config.dataDir);
  }

  async onModuleInit(): Promise<void> {
    await this.scratch.clear();
    this.schedule.register('dry-runs', TEN_MINUTES_MS, () =>
      dropOldTrialTables(this.warehouse, new Date(this.clock.now().getTime() - OLD_MS)),
    );
  }

  /** A file that is sent with the request. */
  async push(principal: Principal, pushed: PushedFile, signal: AbortSignal): Promise<DryRunResult> {
    const workspace = await this.scope.requireWorkspace(principal, pushed.workspaceId);
    const audience = await this.audience(workspace.id, pushed.audienceId);
    const { shape, onUnknown } = rulesOf(pushed);
    if ((pushed.sizeBytes ?? 0) > shape.maxBytes) throw bodyTooLarge(shape.maxBytes);
    return answerOf(signal, this.clock.now(), () =>
      this.scratch.using(async (folder) => {
        const path = join(folder, 'source');
        await spool(pushed.body, path, shape.maxBytes, signal).catch((error: unknown) => {
          throw error instanceof ImportFailure ? bodyTooLarge(shape.maxBytes) : error;
        });
        const request = {
          path,
          folder,
          shape: pushed.format === undefined ? await detected(shape, pushed, path) : shape,
          workspace,
          audience,
          onUnknown: pushed.onUnknown ?? onUnknown,
        };
        return dryRun(this, request, signal);
      }),
    );
  }

  /** Reads a listed file, and says what its import would come to. */
  async look(
    { input, ready, file, workspace, audience }: RoutedFile,
    signal: AbortSignal,
  ): Promise<DryRunResult> {
    const { shape, sizeBytes, key, revision } = file;
    if (sizeBytes > shape.maxBytes) return refusedUnread(tooLarge(shape.maxBytes).problem);
    return this.scratch.using(async (folder) => {
      const path = join(folder, 'source');
      try {
        if (!isScheduled(ready.plugin)) throw notScheduled(ready.plugin.id);
        const stream = await ready.plugin.open(ready.context(signal), { key, revision });
        await spool(stream, path, shape.maxBytes, signal);
      } catch (error) {
        if (error instanceof ImportFailure) return refusedUnread(error.problem);
        throw signal.aborted || isOurs(error) || error instanceof HubError ? error : ready.failure(error);
      }
      const onUnknown = input.onUnknown ?? file.onUnknown;
      return dryRun(this, { path, folder, shape, workspace, audience, onUnknown }, signal);
    });
  }

  /** A file that was sent to an input and is kept for the time being. The caller has checked whose it is. */
  async received(given: ReceivedFile, signal: AbortSignal): Promise<DryRunResult> {
    const { inputId, workspaceId, key, shape, onUnknown, declaredRows } = given;
    const [workspace] = await this.db.select().from(workspaces).where(eq(workspaces.id, workspaceId));
    if (workspace === undefined) throw notFound('workspace', workspaceId);
    const [known] = await this.db
      .select({ source: sources, audience: audiences })
      .from(sources)
      .leftJoin(audiences, and(eq(audiences.id, sources.audienceId), isNull(audiences.deletedAt)))
      .where(and(eq(sources.inputId, inputId), eq(sources.key, key)));
    if (known?.source.tombstonedAt) return refusedUnread(TOMBSTONED);
    return answerOf(signal, this.clock.now(), () =>
      this.scratch.using(async (folder) => {
        const path = join(folder, 'source');
        await spool(await given.open(), path, shape.maxBytes, signal);
        const audience = known?.audience ?? undefined;
        const asked = { path, folder, shape, workspace, audience, onUnknown };
        return dryRun(this, declaredRows === undefined ? asked : { ...asked, declaredRows }, signal);
      }),
    );
  }

  private async audience(workspaceId: string, id: number | undefined): Promise<AudienceRow | undefined> {
    if (id === undefined) return undefined;
    const [audience] = await this.db
      .select()
      .from(audiences)
      .where(and(eq(audiences.id, id), eq(audiences.workspaceId, workspaceId), isNull(audiences.deletedAt)));
    if (audience === undefined) throw notFound('audience', id);
    return audience;
  }
}

function rulesOf({ layout, format }: PushedFile) {
  const rules = layoutRules(layout);
  if (format === undefined) return rules;
  if (format !== 'csv' && layout !== 'iqm') {
    throw new HubError('VALIDATION_FAILED', 'Workbooks are read in the layout iqm only.', [
      { field: 'format', message: `format must be csv in the layout ${layout}` },
    ]);
  }
  return { ...rules, shape: { ...rules.shape, format } };
}

/** The shape of a file whose sender did not say what it is. */
async function detected(
  shape: FileShape,
  { layout, fileName }: PushedFile,
  path: string,
): Promise<FileShape> {
  if (layout !== 'iqm') return shape;
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
    return { ...shape, format: formatOf(fileName ?? '', buffer.subarray(0, bytesRead)) };
  } finally {
    await file.close();
  }
}
