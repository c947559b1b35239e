import type { RecordFields } from '../../../domain/files/index.js';
import { CleanFile } from './clean-file.js';

/** Longer records are not drawn, so that a sample fits in memory whatever the file holds. */
const MAX_SAMPLED_BYTES = 4096;

/**
 * Draws records at random while a file goes by, each with the same chance (a reservoir). The same file gives the
 * same sample, so that whoever asks twice is told the same.
 */
export class Sampler {
  private readonly drawn: RecordFields[] = [];
  private seen = 0;
  private passedOver = false;
  private state = 1;

  constructor(private readonly size: number) {}

  offer(record: RecordFields): void {
    if ((record.ends[record.count - 1] ?? 0) > MAX_SAMPLED_BYTES) {
      this.passedOver = true;
      return;
    }
    this.seen += 1;
    if (this.drawn.length < this.size) this.drawn.push(copyOf(record));
    else {
      const place = Math.floor(this.random() * this.seen);
      if (place < this.size) this.drawn[place] = copyOf(record);
    }
  }

  /** Writes what was drawn, as {@link CleanFile} does. */
  writeTo(path: string): { rows: number; isWhole: boolean } {
    const file = CleanFile.create(path);
    try {
      for (const record of this.drawn) file.append(record);
      file.finish();
    } finally {
      file.close();
    }
    return { rows: this.drawn.length, isWhole: !this.passedOver && this.seen === this.drawn.length };
  }

  /** mulberry32: 0 ≤ random < 1. Good enough for drawing, and nothing depends on its being unforeseeable. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

function copyOf({ bytes, ends, count }: RecordFields): RecordFields {
  const fields = ends.slice(0, count);
  return { bytes: Buffer.from(bytes.subarray(0, fields[count - 1] ?? 0)), ends: fields, count };
}
