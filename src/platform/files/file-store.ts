import type { Readable } from 'node:stream';

/** What can be written: a stream, chunk by chunk, or everything at once. Strings are UTF-8. */
export type FileBody = AsyncIterable<Uint8Array | string> | Uint8Array | string;

/** A part of a file, in bytes from its start. Without `lengthBytes`: to its end. */
export interface ByteRange {
  offsetBytes: number;
  lengthBytes?: number;
}

/** What is known of a file without reading it. */
export interface FileStat {
  sizeBytes: number;
  modifiedAt: Date;
}

/**
 * Files by key: the spool, artifacts, exports. A key is `/`-separated UTF-8 of at most 1,024 bytes; no
 * segment is empty, `.` or `..` or longer than 255 bytes, and none holds a NUL. A key that begins another
 * key's folder (`a` and `a/b`) cannot be a file too. Anything else is refused with InvalidKeyError.
 *
 * Every call throws StorageFullError where there is no space left.
 */
export interface FileStore {
  /**
   * Writes `key` whole or not at all, whatever dies in between, and replaces what was there. The file is
   * on disk when the call returns.
   */
  put(key: string, body: FileBody): Promise<{ sizeBytes: number }>;

  /** Opens a file for reading. Throws FileMissingError where there is none. */
  get(key: string, range?: ByteRange): Promise<Readable>;

  stat(key: string): Promise<FileStat | undefined>;

  /** Deletes a file; none there is fine. */
  delete(key: string): Promise<void>;

  /** Keys that start with `prefix` (any text, not only whole segments; '' lists all), by the order of their bytes. */
  list(prefix: string): AsyncIterable<string>;

  /** The path of the file where the store is a folder, for engines that read files themselves. */
  localPath(key: string): string | undefined;

  /** Writes `key` as the parts one after another, whole or not at all. The parts stay. */
  concat(key: string, parts: readonly string[]): Promise<{ sizeBytes: number }>;

  /**
   * Clears away what writers that died left half-written, and returns how many. `all` is for whoever knows that
   * nobody writes at this moment; `stale` spares what a living writer may still be at. In a bucket, which others
   * may use too, only below {@link OWN_FOLDERS}.
   */
  clearDrafts(which: Drafts): Promise<number>;
}

/** What every key of the hub's own files begins with. */
export const OWN_FOLDERS = ['exports/', 'imports/', 'upload-parts/', 'uploads/'] as const;

/** Half-written files: every one, or those that no living writer has touched for long. */
export type Drafts = 'all' | 'stale';

/** There is no file of this key. */
export class FileMissingError extends Error {
  override readonly name = 'FileMissingError';

  constructor(
    readonly key: string,
    where: string,
  ) {
    super(`There is no file ${JSON.stringify(key)} in ${where}.`);
  }
}

/** A key that no store takes. */
export class InvalidKeyError extends Error {
  override readonly name = 'InvalidKeyError';

  constructor(key: string, reason: string) {
    super(`The key ${JSON.stringify(key.slice(0, 200))} cannot be used: ${reason}.`);
  }
}

/** No space left. What was being written is not there; what was there before still is. */
export class StorageFullError extends Error {
  override readonly name = 'StorageFullError';

  constructor(where: string, options?: ErrorOptions) {
    super(`No space left in ${where}. Free some, or enlarge it; the work is then taken up again.`, options);
  }
}

const MAX_KEY_BYTES = 1024;
const MAX_SEGMENT_BYTES = 255;

/** Folder of a store's own, on the top level of a folder store; barred to keys on both sides. */
export const RESERVED_SEGMENT = '.hub-tmp';

/** Returns `key`, or throws InvalidKeyError with the reason. */
export function checkedKey(key: string): string {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new InvalidKeyError(key, 'it is longer than 1,024 bytes');
  if (/\p{Surrogate}/u.test(key)) throw new InvalidKeyError(key, 'it is not valid Unicode');
  if (key.includes('\0')) throw new InvalidKeyError(key, 'it holds a NUL');
  for (const segment of key.split('/')) {
    if (segment === '') throw new InvalidKeyError(key, 'it is empty, or has an empty part between slashes');
    if (segment === '.' || segment === '..') throw new InvalidKeyError(key, `it has a part ${segment}`);
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) {
      throw new InvalidKeyError(key, 'it has a part longer than 255 bytes');
    }
  }
  if (key.split('/')[0] === RESERVED_SEGMENT) {
    throw new InvalidKeyError(key, `${RESERVED_SEGMENT} belongs to the store`);
  }
  return key;
}

/** Refuses ranges that no file has. */
export function checkedRange(range: ByteRange | undefined): ByteRange | undefined {
  if (!range) return undefined;
  const { offsetBytes, lengthBytes = 1 } = range;
  if (
    Number.isSafeInteger(offsetBytes) &&
    offsetBytes >= 0 &&
    Number.isSafeInteger(lengthBytes) &&
    lengthBytes > 0
  ) {
    return range;
  }
  throw new RangeError(`A range of ${lengthBytes} bytes from ${offsetBytes} on cannot be read.`);
}

/** The body as a stream of bytes. */
export async function* chunksOf(body: FileBody): AsyncGenerator<Uint8Array> {
  if (typeof body === 'string') yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield body;
  else for await (const chunk of body) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** The files of `keys` one after another; opens each when its turn comes. */
export async function* joined(store: FileStore, keys: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const key of keys) {
    const part: AsyncIterable<Uint8Array> = await store.get(key);
    yield* part;
  }
}
