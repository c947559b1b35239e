import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes read at once. No more than a record may be long: the plain check counts on it. */
export const CHUNK_BYTES = 2 ** 20;

const SAMPLE_BYTES = 2 ** 16;

/** Called between chunks: lets others run, or throws to stop the work. */
export type Breathe = () => Promise<void> | void;

/**
 * A file read from front to end in chunks. Synchronous on purpose: it is read in a thread of its own, and
 * libuv's pool, which asynchronous reads go through, is busy with the engine's queries.
 */
export class LocalFile {
  readonly sizeBytes: number;
  private readonly buffer = Buffer.alloc(CHUNK_BYTES);

  private constructor(private readonly descriptor: number) {
    this.sizeBytes = fstatSync(descriptor).size;
  }

  static open(path: string): LocalFile {
    return new LocalFile(openSync(path, 'r'));
  }

  /** The first bytes, at most one chunk. */
  head(): Buffer {
    return Buffer.from(this.readAt(0));
  }

  /** A few bytes from `offset` on. */
  sampleAt(offset: number): Buffer {
    const sample = Buffer.alloc(SAMPLE_BYTES);
    return sample.subarray(0, readSync(this.descriptor, sample, 0, SAMPLE_BYTES, offset));
  }

  /** Every chunk from `offset` on; each is valid until the next one is asked for. */
  async *chunks(offset: number, breathe: Breathe): AsyncGenerator<Buffer> {
    let position = offset;
    for (;;) {
      const chunk = this.readAt(position);
      if (chunk.length === 0) return;
      yield chunk;
      position += chunk.length;
      await breathe();
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private readAt(position: number): Buffer {
    const length = readSync(this.descriptor, this.buffer, 0, CHUNK_BYTES, position);
    return this.buffer.subarray(0, length);
  }
}
