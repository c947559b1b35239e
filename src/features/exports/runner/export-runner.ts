import { Injectable } from '@nestjs/common';
import { eq, sql } from 'drizzle-orm';
import { buildManifest, type Manifest } from '../../../domain/exports/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import { LinkSigner } from '../../../platform/crypto/index.js';
import { exportsTable, type Database } from '../../../platform/database/index.js';
import type { Config } from '../../../platform/env/index.js';
import type { FileStore } from '../../../platform/files/index.js';
import { LeaseLostError, Leases, WorkLease } from '../../../platform/lease/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { Metrics } from '../../../platform/metrics/index.js';
import {
  InjectClock,
  InjectConfig,
  InjectDatabase,
  InjectFiles,
  InjectLogger,
  InjectWarehouse,
} from '../../../platform/nest/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { Ledger } from '../../ledger/index.js';
import { Notices } from '../../notices/index.js';
import { PART_MEMBERS, PartWriter } from '../archive/part-writer.js';
import { writeArchive, type EntryCounts } from '../archive/write-archive.js';
import { ExportFailure, failureOf } from './export-failure.js';
import { downloadLink, readyNotice } from './export-notice.js';
import {
  exportRow,
  fixVersions,
  lockAudiences,
  planOf,
  type ExportPlan,
  type ExportRow,
} from './export-plan.js';
import { ScratchFolders } from './scratch-folders.js';

/** Beginnings of one export after which it fails: something makes every process stumble. */
const MAX_ATTEMPTS = 8;
const RETRY_AFTER_MS = 30_000;
const HOUR_MS = 3_600_000;

/**
 * Makes the archive of one export. It may die at any instruction: versions and timestamp are fixed by the
 * first run, the archive appears in the file store whole or not at all and under one key, and one
 * transaction makes the export ready and posts the mail.
 */
@Injectable()
export class ExportRunner {
  /** Whoever has few members sets it lower, and has more than one part all the same. */
  partMembers = PART_MEMBERS;
  private readonly lease: WorkLease;
  private readonly scratch: ScratchFolders;
  private readonly log: Logger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWarehouse() private readonly warehouse: Warehouse,
    @InjectFiles() private readonly files: FileStore,
    @InjectConfig() private readonly config: Config,
    @InjectClock() private readonly clock: Clock,
    @InjectLogger() logger: Logger,
    leases: Leases,
    private readonly signer: LinkSigner,
    private readonly ledger: Ledger,
    private readonly notices: Notices,
    private readonly metrics: Metrics,
  ) {
    this.lease = new WorkLease(db, leases, 'export');
    this.scratch = new ScratchFolders(config.dataDir);
    this.log = logger.child({ context: 'exports' });
  }

  /** Handler of the queue. Returns where the export is not there to be taken. */
  async run(id: string, signal: AbortSignal): Promise<void> {
    if (!(await this.lease.claim(id))) return;
    try {
      await this.lease.during(id, signal, (held) => this.make(id, held.signal));
    } catch (error) {
      await this.settle(id, error, signal).catch((failed: unknown) => {
        // Whoever took the row over decides what becomes of it.
        if (!(failed instanceof LeaseLostError)) throw failed;
      });
    }
  }

  private async make(id: string, signal: AbortSignal): Promise<void> {
    const step = (name: string) => this.log.debug({ exportId: id, step: name }, 'export step');
    const claimed = await exportRow(this.db, id);
    step('fix versions');
    const row = await this.db.transaction(async (tx) => {
      const locked = await lockAudiences(tx, claimed);
      await this.lease.assertHeld(tx, id);
      return fixVersions(tx, claimed, locked);
    });
    if (row.attempts > MAX_ATTEMPTS) {
      throw new ExportFailure(
        'GAVE_UP',
        `The export was begun ${MAX_ATTEMPTS} times and never came to its end. The log says why.`,
      );
    }
    const plan = await planOf(this.db, row);
    const fileKey = `exports/${row.workspaceId}/${row.id}.zip`;
    step('write archive');
    const made = await this.scratch.using(id, (folder) => this.write(plan, row, { fileKey, folder, signal }));
    signal.throwIfAborted();
    step('make ready');
    await this.finish(row, { ...made, fileKey, archiveName: plan.archiveName });
    step('clear up');
    this.metrics.exports.inc({ state: 'ready' });
    this.log.info({ exportId: id, sizeBytes: made.sizeBytes }, 'export ready');
  }

  private async write(
    plan: ExportPlan,
    row: ExportRow,
    to: { fileKey: string; folder: string; signal: AbortSignal },
  ): Promise<{ sizeBytes: number; manifest: Manifest | undefined }> {
    const writer = new PartWriter(this.warehouse, this.ledger, to.folder, this.partMembers);
    let manifest: Manifest | undefined;
    const manifestOf = (counts: readonly EntryCounts[]) => {
      manifest = manifestFor(plan, row, counts);
      return `${JSON.stringify(manifest, null, 2)}\n`;
    };
    const archive = writeArchive(writer, plan.entries, manifestOf, { at: plan.scannedAt, signal: to.signal });
    const { sizeBytes } = await this.files.put(to.fileKey, archive);
    return { sizeBytes, manifest };
  }

  private async finish(
    row: ExportRow,
    made: { fileKey: string; archiveName: string; sizeBytes: number; manifest: Manifest | undefined },
  ): Promise<void> {
    const now = this.clock.now();
    const expiresAt = new Date(now.getTime() + this.config.exportLinkHours * HOUR_MS);
    const link = downloadLink(this.config, this.signer, row.id, expiresAt);
    await this.db.transaction(async (tx) => {
      await lockAudiences(tx, row);
      await this.lease.assertHeld(tx, row.id);
      await tx
        .update(exportsTable)
        .set({
          state: 'ready',
          fileKey: made.fileKey,
          sizeBytes: made.sizeBytes,
          manifest: made.manifest && { ...made.manifest },
          finishedAt: now,
          expiresAt,
          leaseOwner: null,
          leaseUntil: null,
        })
        .where(eq(exportsTable.id, row.id));
      await recordAudit(tx, {
        action: 'export.ready',
        object: { type: 'export', id: row.id },
        workspaceId: row.workspaceId,
        changes: { sizeBytes: { to: made.sizeBytes }, versions: { to: row.versions } },
      });
      if (!row.notifyEmail) return;
      const { archiveName } = made;
      await this.notices.tell(tx, readyNotice(row, row.notifyEmail, { link, archiveName, expiresAt }));
    });
    await this.notices.send();
  }

  /** What becomes of an export whose run threw. */
  private async settle(id: string, error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof LeaseLostError) return;
    if (signal.aborted) return this.lease.giveBack(id);
    const failure = failureOf(error);
    if (!failure) {
      this.log.warn({ exportId: id, err: error }, 'export will be tried again');
      const notBefore = sql`now() + ${`${RETRY_AFTER_MS} milliseconds`}::interval`;
      return this.leave(id, { state: 'queued', notBefore });
    }
    this.metrics.exports.inc({ state: 'failed' });
    this.log.warn({ exportId: id, code: failure.code }, 'export failed');
    const { code, message } = failure;
    return this.leave(id, { state: 'failed', error: { code, message }, finishedAt: this.clock.now() }, code);
  }

  /** `failure`: the code of what it failed for, where that is its end. */
  private async leave(id: string, change: Record<string, unknown>, failure?: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      await this.lease.assertHeld(tx, id);
      const [left] = await tx
        .update(exportsTable)
        .set({ ...change, leaseOwner: null, leaseUntil: null })
        .where(eq(exportsTable.id, id))
        .returning({ workspaceId: exportsTable.workspaceId });
      if (failure === undefined || !left) return;
      const object = { type: 'export', id };
      await recordAudit(tx, { action: 'export.failed', object, ...left, outcome: 'failed', code: failure });
    });
  }
}

function manifestFor(plan: ExportPlan, row: ExportRow, counts: readonly EntryCounts[]): Manifest {
  const timestampMs = plan.scannedAt.getTime();
  return buildManifest({
    archiveName: plan.archiveName,
    exportId: row.id,
    audienceIds: row.audienceIds,
    includedIdentities: plan.identityTypes,
    generatedAt: plan.scannedAt,
    files: plan.entries.map(({ fileName }, index) => ({
      fileName,
      minTimestampMs: timestampMs,
      maxTimestampMs: timestampMs,
      totalUsers: counts[index]?.users ?? 0,
      rowsByIdentity: counts[index]?.rows ?? {},
    })),
  });
}
