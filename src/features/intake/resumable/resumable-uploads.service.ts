import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { HubError, notFound } from '../../../domain/errors/index.js';
import type { Database } from '../../../platform/database/index.js';
import { StorageFullError, type FileStore } from '../../../platform/files/index.js';
import { InjectDatabase, InjectFiles } from '../../../platform/nest/index.js';
import { Leases } from '../../../platform/lease/index.js';
import { RecordCounter } from '../count-records.js';
import { noSpace, OpenUpload } from '../open-upload.js';
import { tooLarge } from '../upload-body.js';
import { UploadInputs, type UploadInput } from '../upload-inputs.js';
import { UploadRecords, type UploadRow } from '../upload-records.js';
import { PieceSource } from './piece-source.js';
import { pieceKey, PIECES, ResumableRecords, type NewResumable } from './resumable-records.js';

/** What is done with the bytes of one request. */
export interface Appended {
  /** How far the upload is now, in bytes. */
  offsetBytes: number;
}

/**
 * Files that come in several requests, each going on where the one before broke off. Every few megabytes, or
 * seconds, what has come is a piece of its own in the file store, counted by a row in the same transaction that
 * moves the upload on: so a hub that is killed loses a piece at most, any process may receive the next request,
 * and of two senders at the same place one goes on and the other hears of it.
 */
@Injectable()
export class ResumableUploads {
  readonly records: ResumableRecords;
  private readonly uploads: UploadRecords;

  constructor(
    @InjectDatabase() db: Database,
    @InjectFiles() private readonly files: FileStore,
    private readonly inputs: UploadInputs,
    leases: Leases,
  ) {
    this.records = new ResumableRecords(db);
    this.uploads = new UploadRecords(db, leases);
  }

  async begin(given: NewResumable): Promise<void> {
    await this.records.create(given);
  }

  /** Throws NOT_FOUND, or GONE with the reason where it was refused, given up or expired. */
  async require(id: string): Promise<UploadRow> {
    const row = await this.records.find(id);
    if (row === undefined) throw notFound('resumable upload', id);
    if (row.state === 'refused' || row.state === 'expired') throw ended(row);
    return row;
  }

  /** What the input of an upload allows. */
  async limitsOf({ inputId }: UploadRow): Promise<UploadInput> {
    const input = await this.inputs.byId(inputId);
    if (input !== undefined) return input;
    throw new HubError('GONE', 'The input of the upload was deleted or switched off. Nothing more is taken.');
  }

  /**
   * Adds the bytes of a request. One that breaks off has added what came until then; its error is thrown
   * afterwards. Throws WRONG_STATE where the upload is not at `offsetBytes`, BAD_REQUEST and BODY_TOO_LARGE where
   * the whole file is over the limits: the upload is at its end then.
   */
  async append(id: string, offsetBytes: number, body: AsyncIterable<Buffer>): Promise<Appended> {
    const row = await this.require(id);
    const { maxBytes, maxRecords } = await this.limitsOf(row);
    const counter = new RecordCounter(maxRecords, row.counted ?? undefined);
    let seenBytes = offsetBytes;
    const source = new PieceSource(body, (chunk) => {
      seenBytes += chunk.length;
      if (seenBytes > maxBytes) throw tooLarge(maxBytes);
      counter.take(chunk);
    });
    let at = offsetBytes;
    while (await source.more()) at += await this.store(row, at, source, counter);
    const failure = isCutByLimit(row, source.failure) ? tooLarge(maxBytes) : source.failure;
    if (isOverLimit(failure)) await this.refuse(row, failure);
    if (failure !== undefined) throw failure;
    return { offsetBytes: at };
  }

  /** Says how long a file is whose length was left open. */
  async declare(id: string, declaredBytes: number): Promise<void> {
    if (await this.records.declare(id, declaredBytes)) return;
    throw new HubError('WRONG_STATE', 'The length of the upload was said before. It cannot be changed.');
  }

  /** Gives it up: nothing is made of it, and its bytes go. Throws WRONG_STATE where an import has it already. */
  async terminate(id: string): Promise<void> {
    const row = await this.require(id);
    await this.refuse(row, { code: 'GIVEN_UP', message: 'The sender gave the upload up.' });
    const after = await this.records.find(id);
    if (after?.state === 'refused') return;
    throw new HubError('WRONG_STATE', 'The file is whole and was taken already. Discard its import instead.');
  }

  /** Ends it without an import; the bytes go with it. One that was taken meanwhile stays as it is. */
  async refuse(row: UploadRow, error: { code: string; message: string }): Promise<void> {
    const { code, message } = error;
    if (!(await this.uploads.refuse(row.id, { code, message }))) return;
    await this.silent(row).deleteBytes();
    await this.clearPieces(row.id);
  }

  /** The upload as the one that puts it together sees it. */
  silent(row: UploadRow): OpenUpload {
    return new OpenUpload(row, this.uploads, this.files, 'silent');
  }

  /** Deletes the pieces, and those that were written and never counted. */
  async clearPieces(id: string): Promise<void> {
    for await (const key of this.files.list(`${PIECES}${id}/`)) await this.files.delete(key);
    await this.records.forgetPieces(id);
  }

  /** Writes the next piece, and returns its size once it counts. */
  private async store(
    row: UploadRow,
    offsetBytes: number,
    source: PieceSource,
    counter: RecordCounter,
  ): Promise<number> {
    const fileId = randomUUID();
    const key = pieceKey(row.id, fileId);
    let sizeBytes: number;
    try {
      ({ sizeBytes } = await this.files.put(key, source.piece()));
    } catch (error) {
      throw error instanceof StorageFullError ? noSpace(error) : error;
    }
    const piece = { offsetBytes, sizeBytes, fileId };
    if (isOverLimit(source.failure)) return sizeBytes;
    if (await this.records.addPiece(row.id, piece, counter.state)) return sizeBytes;
    await this.files.delete(key);
    throw movedOn();
  }
}

/** Of the whole file, so that nothing can mend it. */
function isOverLimit(failure: unknown): failure is HubError {
  return failure instanceof HubError && ['BAD_REQUEST', 'BODY_TOO_LARGE'].includes(failure.code);
}

/** The library's own limit, which it sets where no length was said before. */
function isCutByLimit({ declaredBytes }: UploadRow, failure: unknown): boolean {
  return (
    declaredBytes === null &&
    failure instanceof Error &&
    (failure as { status_code?: number }).status_code === 413
  );
}

function ended({ state, error }: UploadRow): HubError {
  const reason = error === null ? '' : ` ${error.message} (${error.code})`;
  return new HubError('GONE', `The upload is ${state}.${reason} Begin a new one.`);
}

/** Another request went on with the upload. */
export function movedOn(): HubError {
  const message =
    'Another request went on with this upload, or it has ended. Ask how far it is (HEAD) and go on from there.';
  return new HubError('WRONG_STATE', message);
}
