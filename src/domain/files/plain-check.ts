import { MAX_RECORD_BYTES } from './limits.js';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;

/** What a plain file looks like. */
export interface PlainShape {
  /** Code of the delimiter character, ASCII. */
  delimiter: number;
  columns: number;
  /** More lines than this may be more records than allowed: not plain, so that they are counted one by one. */
  maxLines?: number;
}

/**
 * Whether an engine can read a file as it is: no quote, no NUL, every line the same number of delimiters and
 * not too long, LF or CRLF at the end of all but the last. Native searches do most of the work; only files
 * of several columns, with CR, or whose lines count are looked at byte by byte.
 */
export class PlainCheck {
  /** False for good once something was found. */
  plain = true;
  /** Lines that hold something, where they are counted. */
  private lines = 0;
  private delimiters = 0;
  private lineBytes = 0;
  private returnSeen = false;

  constructor(private readonly shape: PlainShape) {}

  push(chunk: Buffer): void {
    if (!this.plain || chunk.length === 0) return;
    if (chunk.includes(QUOTE) || chunk.includes(0)) {
      this.plain = false;
      return;
    }
    const { columns, delimiter, maxLines } = this.shape;
    if (columns === 1 && chunk.includes(delimiter)) this.plain = false;
    else if (this.returnSeen || chunk.includes(CARRIAGE_RETURN)) this.plain = this.onlyCrlf(chunk);
    if (!this.plain) return;
    if (columns > 1) this.plain = this.countDelimiters(chunk);
    else if (maxLines !== undefined) this.plain = this.countFilled(chunk);
    else this.plain = this.shortLines(chunk);
    if (this.lines > (maxLines ?? this.lines)) this.plain = false;
  }

  end(): void {
    if (this.returnSeen) this.plain = false;
    if (this.lineBytes === 0) return;
    this.lines += 1;
    const { columns, maxLines = this.lines } = this.shape;
    if (columns > 1 && this.delimiters !== columns - 1) this.plain = false;
    if (this.lines > maxLines) this.plain = false;
  }

  /** Every CR is followed by LF. */
  private onlyCrlf(chunk: Buffer): boolean {
    let previousIsReturn = this.returnSeen;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] as number;
      if (previousIsReturn && byte !== LINE_FEED) return false;
      previousIsReturn = byte === CARRIAGE_RETURN;
    }
    this.returnSeen = previousIsReturn;
    return true;
  }

  private countDelimiters(chunk: Buffer): boolean {
    const { delimiter } = this.shape;
    const expected = this.shape.columns - 1;
    let { delimiters } = this;
    let lines = 0;
    let lineStart = -this.lineBytes;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] as number;
      if (byte === delimiter) delimiters += 1;
      else if (byte === LINE_FEED) {
        if (delimiters !== expected || index - lineStart > MAX_RECORD_BYTES) return false;
        delimiters = 0;
        lines += 1;
        lineStart = index + 1;
      }
    }
    this.delimiters = delimiters;
    this.lines += lines;
    this.lineBytes = chunk.length - lineStart;
    return this.lineBytes <= MAX_RECORD_BYTES;
  }

  /** One column: lines that hold more than a line end. */
  private countFilled(chunk: Buffer): boolean {
    let lines = 0;
    let lineStart = -this.lineBytes;
    for (let index = 0; index < chunk.length; index++) {
      if (chunk[index] !== LINE_FEED) continue;
      const lineBytes = index - lineStart;
      if (lineBytes > MAX_RECORD_BYTES) return false;
      // A CR alone counts as well: too many is looked at closely, too few would not be.
      if (lineBytes > 0) lines += 1;
      lineStart = index + 1;
    }
    this.lines += lines;
    this.lineBytes = chunk.length - lineStart;
    return this.lineBytes <= MAX_RECORD_BYTES;
  }

  /** One column: chunks are no longer than a record may be, so only lines across chunks can be too long. */
  private shortLines(chunk: Buffer): boolean {
    const first = chunk.indexOf(LINE_FEED);
    const across = this.lineBytes + (first < 0 ? chunk.length : first);
    this.lineBytes = first < 0 ? across : chunk.length - 1 - chunk.lastIndexOf(LINE_FEED);
    return across <= MAX_RECORD_BYTES && chunk.length <= MAX_RECORD_BYTES;
  }
}
