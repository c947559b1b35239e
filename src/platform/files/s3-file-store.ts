import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  S3ServiceException,
  type MultipartUpload,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import {
  checkedKey,
  checkedRange,
  chunksOf,
  FileMissingError,
  joined,
  OWN_FOLDERS,
  StorageFullError,
  type ByteRange,
  type Drafts,
  type FileBody,
  type FileStat,
  type FileStore,
} from './file-store.js';

/** Where in a bucket a store lives. */
export interface S3Place {
  bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  prefix: string;
}

/**
 * Bytes of a part of a multipart upload. S3 takes at most 10,000 parts of at least 5 MiB: 10 MiB parts
 * reach 97 GiB, and four of them at once bound the memory of an upload to 40 MiB.
 */
const PART_BYTES = 10 * 2 ** 20;
const PARTS_AT_ONCE = 4;

/** A multipart upload says when it was begun, not when it was last written to; no file takes so long. */
const STALE_UPLOAD_MS = 86_400_000;

/** What S3 servers answer where a disk or a quota is full. */
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'EntityTooLargeForQuota']);

/** Files in a bucket. An object appears when its upload is complete, and not before. */
export class S3FileStore implements FileStore {
  readonly #base: string;
  readonly #where: string;

  constructor(
    private readonly client: S3Client,
    private readonly place: S3Place,
  ) {
    this.#base = place.prefix === '' ? '' : `${place.prefix}/`;
    this.#where = `s3://${place.bucket}/${this.#base}`;
  }

  async put(key: string, body: FileBody): Promise<{ sizeBytes: number }> {
    const target = this.#object(key);
    let sizeBytes = 0;
    const counted = async function* counted() {
      for await (const chunk of chunksOf(body)) {
        sizeBytes += chunk.byteLength;
        yield chunk;
      }
    };
    const upload = new Upload({
      client: this.client,
      params: { ...target, Body: Readable.from(counted(), { objectMode: false }) },
      partSize: PART_BYTES,
      queueSize: PARTS_AT_ONCE,
      leavePartsOnError: false,
    });
    await this.#explained(() => upload.done());
    return { sizeBytes };
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    const target = this.#object(key);
    const wanted = checkedRange(range);
    try {
      const { Body } = await this.client.send(
        new GetObjectCommand({ ...target, Range: wanted && rangeHeader(wanted) }),
      );
      return Body instanceof Readable ? Body : Readable.from([]);
    } catch (error) {
      if (isMissing(error)) throw new FileMissingError(key, this.#where);
      // A range beyond the end is nothing, as in a folder.
      if (statusOf(error) === 416) return Readable.from([]);
      throw error;
    }
  }

  async stat(key: string): Promise<FileStat | undefined> {
    const target = this.#object(key);
    try {
      const { ContentLength = 0, LastModified } = await this.client.send(new HeadObjectCommand(target));
      return { sizeBytes: ContentLength, modifiedAt: LastModified ?? new Date(0) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand(this.#object(key)));
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const pages = paginateListObjectsV2(
      { client: this.client },
      { Bucket: this.place.bucket, Prefix: this.#base + prefix },
    );
    for await (const { Contents = [] } of pages) {
      for (const { Key = '' } of Contents) {
        // Consoles make empty objects named like folders.
        if (!Key.endsWith('/')) yield Key.slice(this.#base.length);
      }
    }
  }

  localPath(key: string): undefined {
    checkedKey(key);
    return undefined;
  }

  async concat(key: string, parts: readonly string[]): Promise<{ sizeBytes: number }> {
    return this.put(key, joined(this, parts));
  }

  async clearDrafts(which: Drafts): Promise<number> {
    const before = which === 'all' ? Infinity : Date.now() - STALE_UPLOAD_MS;
    let cleared = 0;
    for (const folder of OWN_FOLDERS) {
      for await (const { Key, UploadId, Initiated } of this.#openUploads(folder)) {
        if ((Initiated?.getTime() ?? Date.now()) >= before) continue;
        await this.#abort(Key, UploadId);
        cleared += 1;
      }
    }
    return cleared;
  }

  /** Uploads that were begun below the folder, and neither completed nor aborted. */
  async *#openUploads(folder: string): AsyncGenerator<MultipartUpload> {
    const where = { Bucket: this.place.bucket, Prefix: this.#base + folder };
    for (let from = {}; ;) {
      const page = await this.client.send(new ListMultipartUploadsCommand({ ...where, ...from }));
      yield* page.Uploads ?? [];
      if (page.IsTruncated !== true) return;
      from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }

  async #abort(Key: string | undefined, UploadId: string | undefined): Promise<void> {
    try {
      await this.client.send(new AbortMultipartUploadCommand({ Bucket: this.place.bucket, Key, UploadId }));
    } catch (error) {
      // Completed or aborted meanwhile.
      if (!isMissing(error)) throw error;
    }
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.place.bucket, Key: this.#base + checkedKey(key) };
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const full = statusOf(error) === 507 || FULL.has((error as Error).name);
      throw full ? new StorageFullError(this.#where, { cause: error }) : error;
    }
  }
}

function rangeHeader({ offsetBytes, lengthBytes }: ByteRange): string {
  return `bytes=${offsetBytes}-${lengthBytes === undefined ? '' : offsetBytes + lengthBytes - 1}`;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** A bucket that is missing is no missing file: it is told as it is. */
function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket';
}
