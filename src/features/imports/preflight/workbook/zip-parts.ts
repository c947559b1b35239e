import { crc32, createInflateRaw } from 'node:zlib';
import { pipeline, type Readable } from 'node:stream';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import {
  damaged,
  tooLarge,
  WorkbookProblem,
  type WorkbookLimits,
} from '../../../../domain/workbooks/index.js';

const STORED = 0;
const DEFLATED = 8;
/** Bytes that are unpacked at once: fewer trips between threads than with zlib's own 16 KiB. */
const CHUNK_BYTES = 2 ** 18;

/** The files inside a workbook's ZIP archive. Archives inside the archive are never opened. */
export class ZipParts {
  /** By name in lower case: names of parts do not differ by case. */
  private readonly entries = new Map<string, Entry>();

  private constructor(
    private readonly zip: ZipFile,
    private readonly limits: WorkbookLimits,
  ) {}

  /** Reads the list of files, and none of them. Throws {@link WorkbookProblem}. */
  static async open(path: string, limits: WorkbookLimits): Promise<ZipParts> {
    const zip = await readable(() => openPromise(path, { autoClose: false, lazyEntries: true }));
    try {
      const parts = new ZipParts(zip, limits);
      await parts.list();
      return parts;
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  has(name: string): boolean {
    return this.entries.has(name.toLowerCase());
  }

  /** Bytes of a part, unpacked. `what` it is called in problems. */
  async *read(name: string, what: string, maxBytes: number): AsyncGenerator<Buffer> {
    const entry = this.entries.get(name.toLowerCase());
    if (entry === undefined) throw damaged(`${what} is missing in the archive`);
    this.check(entry, what, maxBytes);
    const packed = await readable(() => this.zip.openReadStreamPromise(entry, { decodeFileData: false }));
    const content = entry.compressionMethod === STORED ? packed : inflated(packed);
    let bytes = 0;
    let checksum = 0;
    try {
      for await (const chunk of content as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        // More than it said it has: what it said cannot be held against the limits.
        if (bytes > entry.uncompressedSize) throw damaged(`${what} is larger than the archive says`);
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
    } catch (error) {
      throw isSystemError(error) || error instanceof WorkbookProblem
        ? error
        : damaged(`${what} cannot be unpacked`);
    } finally {
      content.destroy();
      packed.destroy();
    }
    if (bytes !== entry.uncompressedSize || checksum !== entry.crc32) {
      throw damaged(`${what} does not have the checksum that the archive says`);
    }
  }

  close(): void {
    this.zip.close();
  }

  private async list(): Promise<void> {
    const { entries: most } = this.limits;
    if (this.zip.entryCount > most) throw tooLarge(`its archive holds more than ${most} files`);
    await readable(async () => {
      for await (const entry of this.zip.eachEntry()) {
        const name = entry.fileName.toLowerCase();
        if (this.entries.has(name)) throw damaged('its archive holds two files of one name');
        this.entries.set(name, entry);
      }
    });
  }

  private check(entry: Entry, what: string, maxBytes: number): void {
    if (entry.isEncrypted()) {
      throw new WorkbookProblem(
        'WORKBOOK_ENCRYPTED',
        'The workbook is encrypted. Remove the password and send it again.',
      );
    }
    if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
      throw damaged(`${what} is packed in a way that workbooks do not know`);
    }
    const { uncompressedSize, compressedSize } = entry;
    if (uncompressedSize > maxBytes) throw tooLarge(`${what} unpacks to more than ${maxBytes} bytes`);
    const { ratio, ratioFromBytes } = this.limits;
    if (uncompressedSize > ratioFromBytes && uncompressedSize > compressedSize * ratio) {
      throw tooLarge(`${what} unpacks to more than ${ratio} times its size, as no table of people does`);
    }
  }
}

function inflated(packed: Readable): Readable {
  // Errors of either stream come out of the reading of the last one.
  return pipeline(packed, createInflateRaw({ chunkSize: CHUNK_BYTES }), () => undefined);
}

/** Errors of the archive's structure become a problem; those of the system stay what they are. */
async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkbookProblem || isSystemError(error)) throw error;
    throw damaged('its ZIP archive is incomplete or damaged, perhaps because the upload was cut off');
  }
}

/** EIO, ENOENT and the like; zlib's own codes begin with Z. */
function isSystemError(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && syscall !== undefined;
}
