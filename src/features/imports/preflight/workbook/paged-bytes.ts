import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { writeAll } from '../rejects-file.js';

/** Bytes of one page. */
const PAGE_BYTES = 2 ** 16;
/** So few are copied faster one by one than by a call out of JavaScript. */
const SMALL_BYTES = 64;

/**
 * Bytes that grow at their end and are read anywhere. Those that were not asked for lately lie in a file, so
 * that memory stays at `pagesInMemory` pages however many there are.
 */
export class PagedBytes {
  /** How many bytes there are. */
  length = 0;
  private readonly pages: (Buffer | undefined)[] = [];
  /** By page: asked for since the hand passed by; in the file as it is. */
  private readonly used: boolean[] = [];
  private readonly written: boolean[] = [];
  private resident = 0;
  private hand = 0;
  private descriptor: number | undefined;

  constructor(
    private readonly path: string,
    private readonly pagesInMemory: number,
  ) {
    if (pagesInMemory < 2) throw new RangeError('Two pages are needed: one to write and one to read.');
  }

  /** Appends the first `size` bytes. */
  append(bytes: Buffer, size = bytes.length): void {
    for (let start = 0; start < size;) {
      const offset = this.length % PAGE_BYTES;
      const page = offset === 0 ? this.addPage() : this.page(this.pages.length - 1);
      const copied = bytes.copy(page, offset, start, size);
      start += copied;
      this.length += copied;
    }
  }

  /** Copies `length` bytes from `start` on to `target`. */
  copyTo(target: Buffer, at: number, start: number, length: number): void {
    const end = start + length;
    if (end > this.length) throw new RangeError('There are not that many bytes.');
    let to = at;
    for (let from = start; from < end;) {
      const offset = from % PAGE_BYTES;
      const copied = Math.min(end - from, PAGE_BYTES - offset);
      const page = this.page((from - offset) / PAGE_BYTES);
      if (copied > SMALL_BYTES) page.copy(target, to, offset, offset + copied);
      else for (let index = 0; index < copied; index++) target[to + index] = page[offset + index] as number;
      from += copied;
      to += copied;
    }
  }

  /** Forgets everything; the file is gone. */
  close(): void {
    if (this.descriptor === undefined) return;
    closeSync(this.descriptor);
    this.descriptor = undefined;
    rmSync(this.path, { force: true });
  }

  private addPage(): Buffer {
    const page = this.emptyPage();
    this.pages.push(page);
    this.used.push(true);
    this.written.push(false);
    return page;
  }

  private page(index: number): Buffer {
    this.used[index] = true;
    const page = this.pages[index];
    if (page !== undefined) return page;
    const loaded = this.emptyPage();
    if (this.descriptor === undefined) throw new Error('A page is neither in memory nor in the file.');
    readSync(this.descriptor, loaded, 0, PAGE_BYTES, index * PAGE_BYTES);
    this.pages[index] = loaded;
    return loaded;
  }

  private emptyPage(): Buffer {
    if (this.resident < this.pagesInMemory) {
      this.resident += 1;
      return Buffer.allocUnsafeSlow(PAGE_BYTES);
    }
    return this.evict();
  }

  /** The page under a hand that goes round and passes over those used since it came by last. */
  private evict(): Buffer {
    for (;;) {
      const index = this.hand;
      this.hand = (this.hand + 1) % this.pages.length;
      const page = this.pages[index];
      const isGrowing = index === this.pages.length - 1 && this.length % PAGE_BYTES !== 0;
      if (page === undefined || isGrowing) continue;
      if (this.used[index] === true) {
        this.used[index] = false;
        continue;
      }
      if (this.written[index] !== true) this.writeOut(index, page);
      this.pages[index] = undefined;
      return page;
    }
  }

  private writeOut(index: number, page: Buffer): void {
    this.descriptor ??= openSync(this.path, 'w+');
    writeAll(this.descriptor, page, index * PAGE_BYTES);
    this.written[index] = true;
  }
}
