import { isAscii, isUtf8 } from 'node:buffer';

/** Checks a stream of bytes for UTF-8, mostly by native calls. */
export class Utf8Check {
  /** Offset of the first byte that is not UTF-8, counted from the first byte pushed. */
  invalidAt: number | undefined;
  /** True once a character beyond ASCII was read before any invalid byte. */
  beyondAscii = false;
  private offset = 0;
  /** Start of a character that the next chunk goes on with. */
  private carry: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    if (this.invalidAt !== undefined) return;
    if (this.carry.length > 0 || !isAscii(chunk)) this.check(chunk);
    this.offset += chunk.length;
  }

  end(): void {
    if (this.carry.length > 0) this.invalidAt ??= this.offset - this.carry.length;
  }

  private check(chunk: Buffer): void {
    const carried = this.carry;
    const missing = carried.length === 0 ? 0 : sequenceLength(carried[0] ?? 0) - carried.length;
    const joined = Buffer.concat([carried, chunk.subarray(0, missing)]);
    if (chunk.length < missing) {
      this.carry = joined;
      return;
    }
    const whole = chunk.length - openTail(chunk.subarray(missing));
    if (this.verify(joined, this.offset - carried.length)) {
      this.verify(chunk.subarray(missing, whole), this.offset + missing);
    }
    this.carry = Buffer.from(chunk.subarray(whole));
  }

  private verify(bytes: Buffer, offset: number): boolean {
    const validBytes = isUtf8(bytes) ? bytes.length : firstInvalidUtf8(bytes);
    this.beyondAscii ||= !isAscii(bytes.subarray(0, validBytes));
    if (validBytes < bytes.length) this.invalidAt = offset + validBytes;
    return validBytes === bytes.length;
  }
}

/** Length of the sequence that `lead` begins; 1 for bytes that begin none. */
function sequenceLength(lead: number): number {
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xc2 && lead < 0xe0 ? 2 : 1;
}

/** How many bytes at the end begin a character that is not whole. */
function openTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? back : 0;
  }
  return 0;
}

/** Offset of the first byte that no character can be made of; the length of `bytes` where all is UTF-8. */
export function firstInvalidUtf8(bytes: Buffer): number {
  let index = 0;
  while (index < bytes.length) {
    const length = sequenceLength(bytes[index] ?? 0);
    if (!isUtf8(bytes.subarray(index, index + length))) return index;
    index += length;
  }
  return index;
}
