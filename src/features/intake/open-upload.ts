import type { Readable } from 'node:stream';
import { HubError } from '../../domain/errors/index.js';
import { StorageFullError, type FileStore } from '../../platform/files/index.js';
import { Measure, measured } from './upload-body.js';
import { uploadKey, type UploadRecords, type UploadRow } from './upload-records.js';

const PROGRESS_MS = 1000;

/** A file that is whole in the file store. */
export interface StoredUpload {
  id: string;
  sizeBytes: number;
  sha256: string | undefined;
  row: Pick<UploadRow, 'createdAt'>;
}

/** An upload while this process receives it: says once a second that it lives, and how far it is. */
export class OpenUpload implements StoredUpload {
  readonly id: string;
  /** Of the file, once it is stored. */
  sha256: string | undefined;
  private readonly measure = new Measure();
  private readonly ticker: NodeJS.Timeout | undefined;
  private ticking = false;

  /** @param tells `silent`: its row says already how far it is, and for how long it may stay. */
  constructor(
    readonly row: UploadRow,
    private readonly records: UploadRecords,
    private readonly files: FileStore,
    tells: 'progress' | 'silent' = 'progress',
  ) {
    this.id = row.id;
    if (tells === 'silent') return;
    this.ticker = setInterval(() => void this.tick(), PROGRESS_MS);
    this.ticker.unref();
  }

  get sizeBytes(): number {
    return this.measure.sizeBytes;
  }

  /** Puts the body into the file store, whole or not at all. Throws HubError where it cannot be taken. */
  async write(body: Readable, maxBytes: number): Promise<void> {
    const { declaredBytes } = this.row;
    const limits = { maxBytes, ...(declaredBytes === null ? {} : { declaredBytes }) };
    try {
      await this.files.put(uploadKey(this.id), measured(body, limits, this.measure));
    } catch (error) {
      throw error instanceof StorageFullError ? noSpace(error) : error;
    }
    this.sha256 = this.measure.sha256();
    if (!(await this.records.stored(this.id, { sizeBytes: this.sizeBytes, sha256: this.sha256 }))) {
      throw new HubError('GONE', 'The upload was given up meanwhile. Send the file again.');
    }
  }

  /** Ends it without an import; the bytes go with it. */
  async refuse(error: { code: string; message: string }, audienceName?: string): Promise<void> {
    const { code, message } = error;
    await this.records.refuse(this.id, { code, message }, audienceName === undefined ? {} : { audienceName });
    await this.deleteBytes();
  }

  /** Of one that nothing more is made of. */
  async deleteBytes(): Promise<void> {
    await this.files.delete(uploadKey(this.id));
  }

  /** Leaves no trace of it: nobody knows whose it is. */
  async forget(): Promise<void> {
    await this.records.forget(this.id);
    await this.files.delete(uploadKey(this.id));
  }

  /** Lets go of it. One that was neither taken nor refused expires, and the sweep clears it away. */
  close(): void {
    clearInterval(this.ticker);
  }

  private async tick(): Promise<void> {
    if (this.ticking) return;
    this.ticking = true;
    try {
      await this.records.progress(this.id, this.sizeBytes);
    } catch {
      // The database is away: the next tick tries again, or the upload expires.
    } finally {
      this.ticking = false;
    }
  }
}

export function noSpace(cause: StorageFullError): HubError {
  return new HubError(
    'UNAVAILABLE',
    'The hub has no space left for the file. Free some and send it again.',
    [],
    {
      cause,
    },
  );
}
