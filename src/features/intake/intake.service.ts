import { isDeepStrictEqual } from 'node:util';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HubError } from '../../domain/errors/index.js';
import type { FileShape } from '../../kit/index.js';
import type {
  AudienceKind,
  Database,
  imports,
  ImportState,
  inputs,
  OnUnknown,
  Transaction,
} from '../../platform/database/index.js';
import type { FileStore } from '../../platform/files/index.js';
import { Leases } from '../../platform/lease/index.js';
import { InjectDatabase, InjectFiles } from '../../platform/nest/index.js';
import {
  DryRunService,
  NewImports,
  type DryRunResult,
  type KnownSource,
  type NewFile,
  type NotedSource,
} from '../imports/index.js';
import { OpenUpload, type StoredUpload } from './open-upload.js';
import { uploadKey, UploadRecords, type NewUpload, type UploadRow } from './upload-records.js';

/** The input that a file comes through. */
export type IntakeInput = Pick<typeof inputs.$inferSelect, 'id' | 'plugin'>;

/** What becomes of a file once it is whole. */
export interface UploadedFile {
  /** Whose it is. The caller has checked that the sender may name this workspace. */
  workspaceId: string;
  /** Stable identity of the source within the input: the same key is a refresh of the same audience. */
  key: string;
  audienceName: string;
  /** Default: what the shape says (`matched` with a header, else `imported`). */
  kind?: AudienceKind;
  shape: FileShape;
  onUnknown: OnUnknown;
  columnSettings?: Record<string, unknown>;
  declaredRows?: number;
  /** Days for which the file stays after a good end, so that it can be matched anew. Default 0. */
  keepDays?: number;
}

/** What came of a file. */
export interface TakenUpload {
  uploadId: string;
  importId: string;
  /** Of the import at this moment. `unchanged` at once where the audience was made of these very bytes. */
  state: ImportState;
  /** True where an import that was there already does the work. */
  repeated: boolean;
}

/** All of it in one call: see {@link IntakeService.receive}. */
export interface PushedUpload extends UploadedFile {
  input: IntakeInput;
  body: Readable;
  maxBytes: number;
  /** Content-Length, where it is that of the file. */
  declaredBytes?: number;
  /** Idempotency key, nonce or signature: of two requests with the same one the second does nothing. */
  requestId?: string;
}

/**
 * Takes files in that are sent to the hub, and makes imports of them. A file goes straight into the file
 * store, counted, hashed and limited on the way; no part of it is kept in memory.
 *
 * In one call, where all is known before the first byte:
 *
 *     const { importId, state } = await intake.receive({ input, workspaceId, key, audienceName, body, … });
 *
 * Step by step, where fields stand behind the file, or the sender is verified by the whole body:
 *
 *     const opened = await intake.open({ input, workspaceId, declaredBytes, requestId });
 *     if ('taken' in opened) return opened.taken;        // the same request was served before
 *     const { upload } = opened;                         // polled at GET /uploads/{upload.id}
 *     try {
 *       await upload.write(body, maxBytes);              // 413 before the rest is read
 *       … verify …
 *       return await intake.take(upload, input, { workspaceId, key, audienceName, shape, onUnknown });
 *     } catch (error) {
 *       throw await intake.refused(upload, error);       // notes the reason, deletes the bytes
 *     } finally {
 *       upload.close();
 *     }
 *
 * Errors are HubErrors: BODY_TOO_LARGE, MALFORMED_BODY (cut short, stalled, other size than announced),
 * UNAVAILABLE (no space), GONE. `body` is left open when it is refused, so that its sender can be answered
 * (see `refuseRest` of features/http).
 *
 * The bytes stay while the import waits, runs or is held, seven days after it failed (unless a newer file of
 * the key came), and `keepDays` after a good end. A process that dies leaves an upload that expires.
 */
@Injectable()
export class IntakeService {
  private readonly records: UploadRecords;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectFiles() private readonly files: FileStore,
    private readonly imports: NewImports,
    private readonly dryRuns: DryRunService,
    leases: Leases,
  ) {
    this.records = new UploadRecords(db, leases);
  }

  /** Receives a file and queues its import. */
  async receive(given: PushedUpload): Promise<TakenUpload> {
    const { input, body, maxBytes, ...file } = given;
    const opened = await this.open(given);
    if ('taken' in opened) return opened.taken;
    const { upload } = opened;
    try {
      await upload.write(body, maxBytes);
      return await this.take(upload, input, file);
    } catch (error) {
      throw await this.refused(upload, error);
    } finally {
      upload.close();
    }
  }

  /** Begins an upload, or finds what came of the same request before. */
  async open(
    given: { input: IntakeInput } & Omit<NewUpload, 'inputId'>,
  ): Promise<{ upload: OpenUpload } | { taken: TakenUpload }> {
    const { workspaceId, audienceName, declaredBytes, requestId } = given;
    const { row, repeated } = await this.records.begin({
      workspaceId,
      inputId: given.input.id,
      ...(audienceName === undefined ? {} : { audienceName }),
      ...(declaredBytes === undefined ? {} : { declaredBytes }),
      ...(requestId === undefined ? {} : { requestId }),
    });
    if (!repeated) return { upload: new OpenUpload(row, this.records, this.files) };
    return { taken: await this.before(row) };
  }

  /**
   * For senders that are verified by the whole body: says whose the upload is, and finds what came of the same
   * request before. The upload is forgotten then.
   */
  async claim(
    upload: OpenUpload,
    sender: { inputId: string; workspaceId: string; requestId?: string },
  ): Promise<TakenUpload | undefined> {
    const before = await this.records.claim(upload.id, sender);
    if (before === undefined) return undefined;
    await upload.forget();
    return this.before(before);
  }

  /** What came of an upload that was taken before. */
  async before(row: UploadRow): Promise<TakenUpload> {
    const state = row.importId === null ? undefined : await this.records.stateOfImport(row.importId);
    if (row.importId === null || state === undefined) {
      throw new HubError('GONE', 'The same request was served before, and its import is gone. Send it anew.');
    }
    return { uploadId: row.id, importId: row.importId, state, repeated: true };
  }

  /**
   * Notes the source and queues the import of a stored upload in one transaction. The same bytes as before
   * make no second import: one under way is joined, and after a good end the answer is `unchanged`.
   *
   * @param given what becomes of the file, or what makes that in the same transaction
   */
  async take(
    upload: StoredUpload,
    input: IntakeInput,
    given: UploadedFile | ((tx: Transaction) => Promise<UploadedFile>),
  ): Promise<TakenUpload> {
    const made = await this.db.transaction(async (tx) => {
      const row = await this.records.lockStored(tx, upload.id);
      if (row === undefined) throw new HubError('GONE', 'The upload expired. Send the file again.');
      const file = typeof given === 'function' ? await given(tx) : given;
      const next = newFile(upload, input, file);
      const result = await this.importOf(tx, next, await this.imports.known(tx, input.id, file.key));
      const { workspaceId, audienceName } = file;
      await this.records.taken(tx, upload.id, { importId: result.row.id, workspaceId, audienceName });
      return result;
    });
    if (made.fresh) await this.imports.begin([made.row.id]);
    else await this.files.delete(uploadKey(upload.id));
    const { id: importId, state } = made.row;
    return { uploadId: upload.id, importId, state, repeated: made.repeated };
  }

  /** Says what the import of a stored upload would come to, and makes none. The upload is the caller's to end. */
  async look(
    upload: StoredUpload,
    { id: inputId }: IntakeInput,
    file: UploadedFile,
    signal: AbortSignal,
  ): Promise<DryRunResult> {
    const open = () => this.files.get(uploadKey(upload.id));
    return this.dryRuns.received({ ...file, inputId, open }, signal);
  }

  /** Ends the upload without an import, and returns the error to throw. */
  async refused(upload: OpenUpload, error: unknown, audienceName?: string): Promise<unknown> {
    await upload.refuse(error instanceof HubError ? error : UNEXPECTED, audienceName);
    return error;
  }

  private async importOf(tx: Transaction, file: NewFile, { row, newest }: KnownSource) {
    if (row.tombstonedAt !== null) throw tombstoned(file.key);
    const before = newest !== undefined && sameContent(newest, file) ? newest : undefined;
    if (before !== undefined && UNDER_WAY.has(before.state)) {
      return { row: before, fresh: false, repeated: true };
    }
    const stands = row.audienceId !== null && row.audienceId === before?.audienceId;
    if (before !== undefined && stands && (before.state === 'published' || before.state === 'unchanged')) {
      return { row: await this.imports.unchanged(tx, file, before), fresh: false, repeated: false };
    }
    return { row: await this.imports.queue(tx, file), fresh: true, repeated: false };
  }
}

const UNDER_WAY: ReadonlySet<ImportState> = new Set(['queued', 'running', 'held']);

const UNEXPECTED = { code: 'INTERNAL', message: 'The hub failed; its log of this moment says more.' };

function newFile(upload: StoredUpload, { id: inputId }: IntakeInput, file: UploadedFile): NewFile {
  const { workspaceId, key, audienceName, kind, shape, onUnknown, columnSettings, declaredRows } = file;
  const source: NotedSource = {
    sizeBytes: upload.sizeBytes,
    modifiedAt: upload.row.createdAt.toISOString(),
    shape,
    onUnknown,
    tombstones: false,
    pushed: { fileKey: uploadKey(upload.id), keepDays: file.keepDays ?? 0 },
    ...(kind === undefined ? {} : { kind }),
    ...(columnSettings === undefined ? {} : { columnSettings }),
    ...(declaredRows === undefined ? {} : { declaredRows }),
  };
  return { inputId, workspaceId, key, revision: upload.sha256 ?? '', audienceName, source };
}

/** True where an import was made of the same bytes, to be read in the same way. */
function sameContent(before: typeof imports.$inferSelect, file: NewFile): boolean {
  return (
    before.revision === file.revision &&
    before.workspaceId === file.workspaceId &&
    isDeepStrictEqual(reading(before.source as unknown as NotedSource), reading(file.source))
  );
}

/** As it comes back from the database: JSON, in which nothing is undefined. */
function reading({ shape, onUnknown, kind, columnSettings, declaredRows }: NotedSource): unknown {
  return JSON.parse(JSON.stringify({ shape, onUnknown, kind, columnSettings, declaredRows }));
}

function tombstoned(key: string): HubError {
  return new HubError(
    'WRONG_STATE',
    `The audience of "${key}" was deleted, and its key is barred. Lift the tombstone and send the file again.`,
  );
}
