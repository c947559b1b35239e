import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HubError } from '../../../domain/errors/index.js';
import { formatOf } from '../../../domain/files/index.js';
import { joined, type FileStore } from '../../../platform/files/index.js';
import { Leases } from '../../../platform/lease/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { InjectFiles, InjectLogger } from '../../../platform/nest/index.js';
import { DRY_RUN_TIMEOUT_MS, showDryRun } from '../../imports/index.js';
import { IntakeService, type UploadedFile } from '../intake.service.js';
import type { StoredUpload } from '../open-upload.js';
import type { UploadInput } from '../upload-inputs.js';
import type { UploadRow } from '../upload-records.js';
import { ResumableUploads } from './resumable-uploads.service.js';
import { readNotes, type SenderNotes } from './sender-notes.js';

/** Uploads that a sweep brings to their end at once. */
const SWEPT = 100;
/** What does not say that the file is bad: it is tried again. */
const PASSING = new Set(['UNAVAILABLE', 'GONE', 'TOO_MANY_REQUESTS']);

/**
 * What happens to a resumable upload whose bytes are all there: its pieces become one file, and that an import, as
 * of any other upload. Each step is one transaction on the upload's row, and the sweep goes on with what a dead
 * process left.
 */
@Injectable()
export class ResumableFinish {
  private readonly log: Logger;

  constructor(
    @InjectFiles() private readonly files: FileStore,
    @InjectLogger() log: Logger,
    private readonly resumable: ResumableUploads,
    private readonly intake: IntakeService,
    private readonly leases: Leases,
  ) {
    this.log = log.child({ context: 'intake' });
  }

  /** Brings it to its end. Whoever is at it already is waited for. Throws what it was refused with. */
  async finish(id: string, signal: AbortSignal): Promise<void> {
    await this.leases.exclusively(leaseOf(id), signal, () => this.end(id));
  }

  /** Goes on with uploads that somebody left at the last step. */
  async sweep(signal: AbortSignal): Promise<void> {
    for (const id of await this.resumable.records.unfinished(SWEPT)) {
      signal.throwIfAborted();
      try {
        await this.leases.unlessHeld(leaseOf(id), signal, () => this.end(id));
      } catch (err) {
        this.log.warn({ uploadId: id, err }, 'an upload was not brought to its end');
      }
    }
  }

  private async end(id: string): Promise<void> {
    const row = await this.resumable.require(id);
    if (row.state === 'taken' || row.state === 'checked') return;
    try {
      await this.taken(row);
    } catch (error) {
      // The hub's own failures are tried again by the sweep.
      if (!(error instanceof HubError) || PASSING.has(error.code)) throw error;
      await this.resumable.refuse(row, error);
      throw error;
    }
    await this.resumable.clearPieces(id);
  }

  private async taken(row: UploadRow): Promise<void> {
    const input = await this.resumable.limitsOf(row);
    const notes = readNotes(row.metadata ?? undefined);
    const stored = row.state === 'stored' ? storedOf(row) : await this.assembled(row, input);
    if (notes.sha256 !== undefined && notes.sha256 !== stored.sha256) {
      const message = 'The SHA-256 of the file is not the one that was announced. Send it again.';
      throw new HubError('MALFORMED_BODY', message);
    }
    const file = fileOf(row, input, notes);
    if (notes.dryRun) await this.looked(row, stored, input, file);
    else await this.intake.take(stored, input.row, file);
  }

  /** A dry run: its report is kept, and nothing else. */
  private async looked(
    row: UploadRow,
    stored: StoredUpload,
    input: UploadInput,
    file: UploadedFile,
  ): Promise<void> {
    const signal = AbortSignal.timeout(DRY_RUN_TIMEOUT_MS);
    const report = showDryRun(await this.intake.look(stored, input.row, file, signal).catch(inTime(signal)));
    await this.resumable.records.checked(row.id, report);
    await this.resumable.silent(row).deleteBytes();
  }

  /** One file of the pieces. */
  private async assembled(row: UploadRow, { maxBytes }: UploadInput): Promise<StoredUpload> {
    const keys = await this.resumable.records.pieceKeys(row.id);
    const upload = this.resumable.silent(row);
    await upload.write(Readable.from(joined(this.files, keys), { objectMode: false }), maxBytes);
    return upload;
  }
}

/** What was not looked at in time will not be the next time either. */
function inTime(signal: AbortSignal) {
  return (error: unknown): never => {
    if (!signal.aborted) throw error;
    const minutes = DRY_RUN_TIMEOUT_MS / 60_000;
    throw new HubError(
      'LIMIT_REACHED',
      `The file was not looked at within ${minutes} minutes. Import it instead.`,
    );
  };
}

const leaseOf = (id: string): string => `upload:${id}`;

/** Keys of IQM's uploads are made of numbers of audiences; these are the senders' own. */
const sourceKey = (key: string): string => `files/${key}`;

function storedOf(row: UploadRow): StoredUpload {
  return { id: row.id, sizeBytes: row.receivedBytes, sha256: row.sha256 ?? undefined, row };
}

function fileOf(row: UploadRow, input: UploadInput, notes: SenderNotes): UploadedFile {
  const { maxBytes, maxRecords, keepFileDays } = input;
  const start = Buffer.from(row.counted?.start ?? '', 'hex');
  const mapping = notes.columns?.map(({ column, part }) => ({ column, field: part }));
  return {
    workspaceId: row.workspaceId,
    key: sourceKey(notes.key),
    audienceName: notes.audienceName,
    kind: 'matched',
    shape: {
      format: formatOf(notes.fileName, start),
      header: true,
      encodings: 'detect',
      maxBytes,
      maxRows: maxRecords,
      ...(mapping === undefined ? {} : { mapping }),
    },
    onUnknown: input.row.onUnknown ?? 'create',
    ...(notes.recordCount === undefined ? {} : { declaredRows: notes.recordCount }),
    keepDays: keepFileDays,
  };
}
