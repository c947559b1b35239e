import { BYTES_A_UNIT, csvField } from './csv-field.js';
import { PagedBytes } from './paged-bytes.js';

/** Pages in memory: 24 MiB of texts and 8 MiB of where they begin. */
const TEXT_PAGES = 384;
const INDEX_PAGES = 128;
/** A text begins at a number of up to 48 bits. */
const POSITION_BYTES = 6;
const SCRATCH_BYTES = 2 ** 16;

/** Texts by number, as CSV fields, in bounded memory. */
export class TextStore {
  count = 0;
  private readonly texts: PagedBytes;
  private readonly index: PagedBytes;
  private readonly scratch = Buffer.alloc(SCRATCH_BYTES);
  private readonly positions = Buffer.alloc(2 * POSITION_BYTES);

  constructor(
    path: string,
    pages: { text: number; index: number } = { text: TEXT_PAGES, index: INDEX_PAGES },
  ) {
    this.texts = new PagedBytes(`${path}.texts`, pages.text);
    this.index = new PagedBytes(`${path}.index`, pages.index);
    this.noteEnd();
  }

  add(text: string): void {
    const field = csvField(text);
    if (field.length * BYTES_A_UNIT > this.scratch.length) this.texts.append(Buffer.from(field));
    else this.texts.append(this.scratch, this.scratch.write(field));
    this.count += 1;
    this.noteEnd();
  }

  /** Where a text stands in the store; undefined where there is none of this number. */
  find(number: number): { start: number; length: number } | undefined {
    if (number >= this.count) return undefined;
    this.index.copyTo(this.positions, 0, number * POSITION_BYTES, 2 * POSITION_BYTES);
    const start = this.positions.readUIntLE(0, POSITION_BYTES);
    return { start, length: this.positions.readUIntLE(POSITION_BYTES, POSITION_BYTES) - start };
  }

  /** Copies what {@link find} found. */
  copyTo(target: Buffer, at: number, { start, length }: { start: number; length: number }): void {
    this.texts.copyTo(target, at, start, length);
  }

  close(): void {
    this.texts.close();
    this.index.close();
  }

  private noteEnd(): void {
    this.positions.writeUIntLE(this.texts.length, 0, POSITION_BYTES);
    this.index.append(this.positions, POSITION_BYTES);
  }
}
