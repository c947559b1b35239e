import { MAX_RECORD_BYTES } from './limits.js';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const SPACE = 0x20;
const TAB = 0x09;

const enum State {
  FieldStart,
  Unquoted,
  Quoted,
  /** Behind a quote inside a quoted field: the end of the field, or half of an escaped quote. */
  QuoteSeen,
  /** Behind white space behind a closing quote. */
  QuoteClosed,
}

/** A quote after which nobody can tell where fields begin and end. */
export interface QuoteFault {
  code: 'UNCLOSED_QUOTE' | 'BAD_QUOTE';
  /** 1-based record in which the quote opened. */
  row: number;
  /** 1-based line on which it opened. */
  line: number;
}

/** The fields of a record. */
export type RecordFields = Pick<ScannedRecord, 'bytes' | 'ends' | 'count'>;

/** The record a scanner stands at. Valid during the call of the sink only. */
export interface ScannedRecord {
  /** 1-based; blank lines count. */
  readonly row: number;
  /** 1-based line on which the record starts. */
  readonly line: number;
  /** Number of fields. */
  readonly count: number;
  /** Unescaped bytes of all fields, one after the other. Incomplete where `tooLong`. */
  readonly bytes: Buffer;
  /** Where each field ends in `bytes`. */
  readonly ends: Int32Array;
  readonly hasNul: boolean;
  /** Longer than MAX_RECORD_BYTES; its fields are not kept. */
  readonly tooLong: boolean;
  /** False for the last record of a file without line end. */
  readonly lineEnded: boolean;
  /** One field without a character that shows: a blank line. */
  readonly isBlank: boolean;
}

/**
 * Reads CSV records from UTF-8 bytes, chunk by chunk (RFC 4180). LF, CRLF and CR end a record; a quote inside
 * an unquoted field is text; white space between a closing quote and the delimiter is dropped. Memory is that
 * of the longest record allowed.
 */
export class RecordScanner implements ScannedRecord {
  row = 1;
  line = 1;
  count = 0;
  bytes: Buffer = Buffer.alloc(0);
  ends = new Int32Array(64);
  hasNul = false;
  tooLong = false;
  lineEnded = true;
  /** Set once a quote went wrong; nothing is read from then on. */
  fault: QuoteFault | undefined;
  private length = 0;
  private state = State.FieldStart;
  private afterReturn = false;
  private linesInside = 0;
  private quoteLine = 1;
  /** 1 for bytes that end a run of plain ones. */
  private readonly stops = new Uint8Array(256);

  constructor(
    private readonly delimiter: number,
    private readonly sink: (record: ScannedRecord) => void,
  ) {
    for (const stop of [delimiter, LINE_FEED, CARRIAGE_RETURN, 0]) this.stops[stop] = 1;
  }

  get isBlank(): boolean {
    if (this.count > 1 || this.tooLong) return false;
    for (let index = 0; index < (this.ends[0] ?? 0); index++) {
      const byte = this.bytes[index] ?? 0;
      if (byte !== SPACE && (byte < TAB || byte > CARRIAGE_RETURN)) return false;
    }
    return true;
  }

  push(chunk: Buffer): void {
    this.makeRoom(chunk.length);
    let index = 0;
    while (index < chunk.length && this.fault === undefined) {
      if (this.afterReturn) {
        this.afterReturn = false;
        if (chunk[index] === LINE_FEED) {
          index += 1;
          continue;
        }
      }
      if (this.state === State.Quoted) index = this.readQuoted(chunk, index);
      else if (this.state === State.Unquoted) index = this.readUnquoted(chunk, index);
      else index = this.readOne(chunk, index);
    }
  }

  /** Call once after the last chunk: yields a record that no line end follows. */
  end(): void {
    if (this.fault !== undefined) return;
    if (this.state === State.Quoted) {
      this.fail('UNCLOSED_QUOTE');
      return;
    }
    const pending = this.state !== State.FieldStart || this.count > 0 || this.tooLong;
    if (!pending) return;
    this.lineEnded = false;
    this.endField();
    this.endRecord();
  }

  /** A record may be one chunk longer than allowed before it is given up, so that the loops need no check. */
  private makeRoom(chunkBytes: number): void {
    if (this.length > MAX_RECORD_BYTES) {
      this.tooLong = true;
      this.length = 0;
    }
    const needed = this.length + chunkBytes;
    if (this.bytes.length >= needed) return;
    const larger = Buffer.alloc(Math.max(needed, Math.min(this.bytes.length * 2, 2 * MAX_RECORD_BYTES)));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  private readUnquoted(chunk: Buffer, start: number): number {
    const { stops, bytes } = this;
    const end = chunk.length;
    let { length } = this;
    let index = start;
    let byte = 0;
    while (index < end) {
      byte = chunk[index] as number;
      if (stops[byte] === 1) break;
      bytes[length++] = byte;
      index += 1;
    }
    this.length = length;
    if (index === end) return index;
    if (byte === 0) this.keepNul();
    else this.endAt(byte);
    return index + 1;
  }

  private readQuoted(chunk: Buffer, start: number): number {
    const { bytes } = this;
    const end = chunk.length;
    let { length } = this;
    let index = start;
    while (index < end) {
      const byte = chunk[index] as number;
      if (byte === QUOTE) break;
      if (byte === LINE_FEED) this.linesInside += 1;
      else if (byte === 0) this.hasNul = true;
      bytes[length++] = byte;
      index += 1;
    }
    this.length = length;
    if (index === end) return index;
    this.state = State.QuoteSeen;
    return index + 1;
  }

  /** One byte at the start of a field, or behind the quote of a quoted one. */
  private readOne(chunk: Buffer, index: number): number {
    const byte = chunk[index] as number;
    if (byte === this.delimiter || byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      this.endAt(byte);
      return index + 1;
    }
    if (this.state === State.FieldStart) {
      if (byte !== QUOTE) {
        this.state = State.Unquoted;
        return index;
      }
      this.state = State.Quoted;
      this.quoteLine = this.line + this.linesInside;
      return index + 1;
    }
    if (byte === QUOTE && this.state === State.QuoteSeen) {
      this.bytes[this.length++] = QUOTE;
      this.state = State.Quoted;
    } else if (byte === SPACE || byte === TAB) this.state = State.QuoteClosed;
    else this.fail('BAD_QUOTE');
    return index + 1;
  }

  private keepNul(): void {
    this.hasNul = true;
    this.bytes[this.length++] = 0;
  }

  private endAt(byte: number): void {
    this.endField();
    if (byte === this.delimiter) return;
    this.afterReturn = byte === CARRIAGE_RETURN;
    this.endRecord();
  }

  private endField(): void {
    if (this.count === this.ends.length) {
      const larger = new Int32Array(this.ends.length * 2);
      larger.set(this.ends);
      this.ends = larger;
    }
    this.ends[this.count] = this.length;
    this.count += 1;
    this.state = State.FieldStart;
    // Delimiters, one less than fields, count as bytes.
    if (this.count - 1 > MAX_RECORD_BYTES) {
      this.tooLong = true;
      this.count = 1;
    }
  }

  private endRecord(): void {
    if (this.length + this.count - 1 > MAX_RECORD_BYTES) this.tooLong = true;
    this.sink(this);
    this.line += this.linesInside + 1;
    this.row += 1;
    this.linesInside = 0;
    this.count = 0;
    this.length = 0;
    this.hasNul = false;
    this.tooLong = false;
  }

  private fail(code: QuoteFault['code']): void {
    this.fault = { code, row: this.row, line: this.quoteLine };
  }
}

/** Field `index` of a record as text. */
export function fieldText(record: ScannedRecord, index: number): string {
  const start = index === 0 ? 0 : (record.ends[index - 1] ?? 0);
  return record.bytes.toString('utf8', start, record.ends[index]);
}

/** All fields of a record as texts. */
export function fieldTexts(record: ScannedRecord): string[] {
  return Array.from({ length: record.count }, (_, index) => fieldText(record, index));
}
