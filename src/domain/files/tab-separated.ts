import type { RecordFields } from './record-scanner.js';

/** Bytes that ClickHouse's TabSeparated escapes, and the letter behind the backslash. */
const ESCAPES = new Uint8Array(256);
for (const [character, letter] of [
  ['\t', 't'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\\', '\\'],
] as const) {
  ESCAPES[character.charCodeAt(0)] = letter.charCodeAt(0);
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const BACKSLASH = 0x5c;
const BOM = Buffer.from('\ufeff');
/** The first byte of a BOM as TabSeparated reads it. */
const ESCAPED_BOM_BYTE = Buffer.from('\\xEF');

/** Collects records as ClickHouse's TabSeparated and hands them on in large pieces. */
export class TabSeparatedWriter {
  private readonly buffer: Buffer;
  private length = 0;
  private first = true;

  /** `write` is called with pieces of about `pieceBytes`; each is valid during the call only. */
  constructor(
    private readonly write: (piece: Buffer) => void,
    private readonly pieceBytes = 2 ** 20,
  ) {
    this.buffer = Buffer.alloc(pieceBytes);
  }

  append(record: RecordFields): void {
    const { bytes, ends, count } = record;
    const size = ends[count - 1] ?? 0;
    // Twice its size at most, delimiters, and an escaped BOM.
    const needed = size * 2 + count + ESCAPED_BOM_BYTE.length;
    if (this.length + needed > this.pieceBytes) this.flush();
    const isLarge = needed > this.pieceBytes;
    const out = isLarge ? Buffer.alloc(needed) : this.buffer;
    let start = 0;
    let length = this.length;
    if (this.first) {
      this.first = false;
      // An engine drops a BOM at the start of a file; here it is part of a value.
      if (bytes.subarray(0, Math.min(BOM.length, ends[0] ?? 0)).equals(BOM)) {
        length += ESCAPED_BOM_BYTE.copy(out, length);
        start = 1;
      }
    }
    for (let field = 0; field < count; field++) {
      const end = ends[field] as number;
      for (; start < end; start++) {
        const byte = bytes[start] as number;
        const escape = ESCAPES[byte] as number;
        if (escape === 0) out[length++] = byte;
        else {
          out[length++] = BACKSLASH;
          out[length++] = escape;
        }
      }
      out[length++] = TAB;
    }
    out[length - 1] = LINE_FEED;
    if (isLarge) this.write(out.subarray(0, length));
    else this.length = length;
  }

  /** Writes what is left; call it at the end. */
  flush(): void {
    if (this.length > 0) this.write(this.buffer.subarray(0, this.length));
    this.length = 0;
  }
}
