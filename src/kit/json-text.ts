import { BETWEEN_DIGESTS, FOUR_DIGITS, HEX_DIGITS } from './digits.js';
import { JsonPiece } from './json-piece.js';

const [QUOTE, BACKSLASH, MINUS, ZERO] = [0x22, 0x5c, 0x2d, 0x30];
const FIRST_PRINTABLE = 0x20;
const FIRST_BEYOND_ASCII = 0x80;
/** Of a byte that JSON writes as \u00xx. */
const LONGEST_ESCAPE = 6;
const LONGEST_INTEGER = 20;
const LEAST_BYTES = 2 ** 18;

const TEN_THOUSAND = 1e4;
const WORD = 2 ** 32;
const BILLION = 1e9;

/** 1 for the bytes that stand in a JSON string as they are. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= FIRST_PRINTABLE && byte < FIRST_BEYOND_ASCII && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

const BETWEEN = new JsonPiece(BETWEEN_DIGESTS);

const NO_VIEW = new DataView(new ArrayBuffer(0));

const [HIGH_BITS, ONES] = [0x80808080 | 0, 0x01010101];
const [FOUR_SPACES, FOUR_QUOTES, FOUR_BACKSLASHES] = [0x20202020, 0x22222222, 0x5c5c5c5c];

/** Whether four bytes stand in a JSON string as they are: what `PLAIN` says of one, in a few instructions for all. */
function arePlain(four: number): boolean {
  const quotes = four ^ FOUR_QUOTES;
  const backslashes = four ^ FOUR_BACKSLASHES;
  // A byte's high bit is set where it had one, is below a space, or is zero; a borrow can only set one too many.
  const marked =
    four |
    ((four - FOUR_SPACES) & ~four) |
    ((quotes - ONES) & ~quotes) |
    ((backslashes - ONES) & ~backslashes);
  return (marked & HIGH_BITS) === 0;
}

/** Where texts are written. */
export interface TextMemory {
  /** Memory of at least so many bytes, whatever is in it. */
  lend(bytes: number): Uint8Array<ArrayBuffer>;
  /** What was lent holds no text and is needed no more. */
  giveBack(memory: Uint8Array<ArrayBuffer>): void;
}

/** Memory that nobody had before. */
const NEW_MEMORY: TextMemory = { lend: (bytes) => new Uint8Array(bytes), giveBack: () => undefined };

/**
 * JSON in UTF-8 that grows at its end. {@link take} hands the text over in the memory that it was written in, without a
 * copy. Bytes are copied in loops, four at a time, which for such short texts are quicker than any call.
 */
export class JsonText {
  private bytes: Uint8Array<ArrayBuffer>;
  private view: DataView;
  private source: Uint8Array | undefined;
  private read: DataView = NO_VIEW;
  private length: number;

  /** @param room bytes that {@link take} can put in front of the text without moving it */
  constructor(
    private readonly memory: TextMemory = NEW_MEMORY,
    private readonly room = 0,
  ) {
    this.bytes = memory.lend(LEAST_BYTES + room);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset);
    this.length = room;
  }

  /** What was written, between two texts that are JSON already. It is the last that is asked of this text. */
  take(front = '', back = ''): Buffer {
    const before = Buffer.from(front);
    this.add(new JsonPiece(back));
    const missing = before.length - this.room;
    if (missing > 0) {
      this.makeRoom(missing);
      this.bytes.copyWithin(this.room + missing, this.room, this.length);
      this.length += missing;
    }
    const from = missing > 0 ? 0 : -missing;
    this.bytes.set(before, from);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, this.length - from);
  }

  /** Adds text that is JSON already. */
  add({ words, length }: JsonPiece): void {
    const size = words.length;
    // The last word may reach beyond the text; what comes next is written over it.
    this.makeRoom(size * 4);
    const { view } = this;
    let at = this.length;
    for (let index = 0; index < size; index += 1, at += 4) view.setInt32(at, words[index] ?? 0, true);
    this.length += length;
  }

  /** Adds a string whose UTF-8 stands from `from` up to `to`; what is no UTF-8 becomes U+FFFD. */
  addString(source: Uint8Array, from: number, to: number): void {
    this.makeRoom((to - from) * LONGEST_ESCAPE + 2);
    const { bytes, view } = this;
    if (source !== this.source) this.lookAt(source);
    const read = this.read;
    const shift = this.length + 1 - from;
    bytes[this.length] = QUOTE;
    let at = from;
    for (const last = to - 3; at < last; at += 4) {
      const four = read.getInt32(at, true);
      if (!arePlain(four)) return this.addEscaped(source, from, to);
      view.setInt32(at + shift, four, true);
    }
    for (; at < to; at += 1) {
      const byte = source[at] ?? 0;
      if (PLAIN[byte] === 0) return this.addEscaped(source, from, to);
      bytes[at + shift] = byte;
    }
    bytes[to + shift] = QUOTE;
    this.length = to + shift + 1;
  }

  /**
   * Adds a string of the hexadecimal digits of digests, which stand from `from` up to `to`, of `size` bytes each (an even
   * number), with `between` between them.
   */
  addDigests(source: Uint8Array, from: number, to: number, size: number, between = BETWEEN): void {
    this.makeRoom(2);
    this.bytes[this.length] = QUOTE;
    this.length += 1;
    for (let at = from; at < to; at += size) {
      if (at > from) this.add(between);
      this.addHex(source, at, size);
    }
    this.makeRoom(1);
    this.bytes[this.length] = QUOTE;
    this.length += 1;
  }

  private addHex(source: Uint8Array, from: number, size: number): void {
    this.makeRoom(2 * size);
    const { view } = this;
    let at = this.length;
    for (let index = from; index < from + size; index += 2, at += 4) {
      const one = HEX_DIGITS[source[index] ?? 0] ?? 0;
      const next = HEX_DIGITS[source[index + 1] ?? 0] ?? 0;
      view.setInt32(at, one | (next << 16), true);
    }
    this.length = at;
  }

  /** Adds the digits of a 64-bit integer, given as its upper half and its lower one, which may lack its sign. */
  addInteger(upper: number, lower: number): void {
    this.makeRoom(LONGEST_INTEGER);
    let high = upper;
    let low = lower >>> 0;
    if (high < 0) {
      this.bytes[this.length] = MINUS;
      this.length += 1;
      // -x is ~x + 1.
      high = (low === 0 ? -high : ~high) >>> 0;
      low = low === 0 ? 0 : WORD - low;
    }
    // A double's quotient may be one off; the rest tells, which is exact modulo 2^32.
    let quotient = Math.floor((high * WORD + low) / BILLION);
    let rest = (low - Math.imul(quotient, BILLION)) | 0;
    if (rest < 0) {
      quotient -= 1;
      rest += BILLION;
    } else if (rest >= BILLION) {
      quotient += 1;
      rest -= BILLION;
    }
    this.addGroups(quotient, rest);
  }

  /** Adds `upper` * 10^9 + `lower`. */
  private addGroups(upper: number, lower: number): void {
    const top = Math.floor(upper / BILLION);
    const middle = upper - top * BILLION;
    if (top > 0) this.addDigits(top, digitsIn(top));
    if (upper > 0) this.addDigits(middle, top > 0 ? 9 : digitsIn(middle));
    this.addDigits(lower, upper > 0 ? 9 : digitsIn(lower));
  }

  /** Adds the last `digits` digits of a number below 10^9, four at a time from its end. */
  private addDigits(value: number, digits: number): void {
    const { bytes, view, length } = this;
    // Below 2^31, so that dividing is a matter of integers.
    let left = value | 0;
    let at = length + digits;
    for (; at - length >= 4; at -= 4) {
      const rest = (left / TEN_THOUSAND) | 0;
      view.setInt32(at - 4, FOUR_DIGITS[left - rest * TEN_THOUSAND] ?? 0, true);
      left = rest;
    }
    while (at > length) {
      const tenth = (left / 10) | 0;
      bytes[--at] = ZERO + left - tenth * 10;
      left = tenth;
    }
    this.length = length + digits;
  }

  private addEscaped(source: Uint8Array, from: number, to: number): void {
    const text = Buffer.from(
      JSON.stringify(Buffer.from(source.buffer, source.byteOffset + from, to - from).toString('utf8')),
    );
    this.bytes.set(text, this.length);
    this.length += text.length;
  }

  /** The values of a page stand in one array, so that one view serves for all of them. */
  private lookAt(source: Uint8Array): void {
    this.source = source;
    this.read = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  private makeRoom(more: number): void {
    if (this.length + more > this.bytes.length) this.grow(this.length + more);
  }

  private grow(wanted: number): void {
    const larger = this.memory.lend(Math.max(wanted, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.memory.giveBack(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer, larger.byteOffset);
  }
}

function digitsIn(value: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits += 1;
  return digits;
}
