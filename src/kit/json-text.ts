const [QUOTE, BACKSLASH, MINUS, ZERO] = [0x22, 0x5c, 0x2d, 0x30];
const FIRST_PRINTABLE = 0x20;
const FIRST_BEYOND_ASCII = 0x80;
/** Of a byte that JSON writes as \u00xx. */
const LONGEST_ESCAPE = 6;
const LONGEST_INTEGER = 20;
const LEAST_BYTES = 2 ** 18;
/** The memory of a text that was larger is not kept for the next one. */
const MOST_KEPT_BYTES = 2 ** 23;

const [LIMB, WORD] = [2 ** 16, 2 ** 32];
const BILLION = 1e9;

/** 1 for the bytes that stand in a JSON string as they are. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= FIRST_PRINTABLE && byte < FIRST_BEYOND_ASCII && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/**
 * JSON in UTF-8 that grows at its end. The memory is used again for the next text: {@link copy} gives it away. Bytes are
 * copied in loops, which for such short texts are quicker than any call.
 */
export class JsonText {
  private bytes: Uint8Array = new Uint8Array(LEAST_BYTES);
  private length = 0;

  /** Forgets all that was written. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > MOST_KEPT_BYTES) this.bytes = new Uint8Array(LEAST_BYTES);
  }

  /** What was written, in a buffer of its own. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length));
  }

  /** Adds text that is JSON already. */
  add(text: Uint8Array): void {
    const size = text.length;
    this.makeRoom(size);
    const { bytes, length } = this;
    for (let index = 0; index < size; index += 1) bytes[length + index] = text[index] ?? 0;
    this.length = length + size;
  }

  /** Adds a string whose UTF-8 stands from `from` up to `to`; what is no UTF-8 becomes U+FFFD. */
  addString(source: Uint8Array, from: number, to: number): void {
    this.makeRoom((to - from) * LONGEST_ESCAPE + 2);
    const { bytes } = this;
    const shift = this.length + 1 - from;
    bytes[this.length] = QUOTE;
    for (let index = from; index < to; index += 1) {
      const byte = source[index] ?? 0;
      if (PLAIN[byte] === 0) return this.addEscaped(source, from, to);
      bytes[index + shift] = byte;
    }
    bytes[to + shift] = QUOTE;
    this.length = to + shift + 1;
  }

  /** Adds the digits of a 64-bit integer, given as its upper half and its lower one without sign. */
  addInteger(upper: number, lower: number): void {
    this.makeRoom(LONGEST_INTEGER);
    let [high, low] = [upper, lower];
    if (high < 0) {
      this.bytes[this.length] = MINUS;
      this.length += 1;
      // -x is ~x + 1.
      high = (low === 0 ? -high : ~high) >>> 0;
      low = low === 0 ? 0 : WORD - low;
    }
    // Divided by 10^9 in limbs of 16 bits, so that each step is exact in a double: a third of what a bigint takes.
    const first = Math.floor(high / BILLION);
    let sum = (high - first * BILLION) * LIMB + (low >>> 16);
    const second = Math.floor(sum / BILLION);
    sum = (sum - second * BILLION) * LIMB + (low & 0xffff);
    const third = Math.floor(sum / BILLION);
    this.addGroups(first * WORD + second * LIMB + third, sum - third * BILLION);
  }

  /** Adds `upper` * 10^9 + `lower`. */
  private addGroups(upper: number, lower: number): void {
    const top = Math.floor(upper / BILLION);
    const middle = upper - top * BILLION;
    if (top > 0) this.addDigits(top, digitsIn(top));
    if (upper > 0) this.addDigits(middle, top > 0 ? 9 : digitsIn(middle));
    this.addDigits(lower, upper > 0 ? 9 : digitsIn(lower));
  }

  private addDigits(value: number, digits: number): void {
    const { bytes, length } = this;
    // Below 2^31, so that dividing is a matter of integers.
    let left = value | 0;
    for (let digit = digits - 1; digit >= 0; digit -= 1) {
      const tenth = (left / 10) | 0;
      bytes[length + digit] = ZERO + left - tenth * 10;
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

  private makeRoom(more: number): void {
    if (this.length + more > this.bytes.length) this.grow(this.length + more);
  }

  private grow(wanted: number): void {
    const larger = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

function digitsIn(value: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits += 1;
  return digits;
}
