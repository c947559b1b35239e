import { isAscii } from 'node:buffer';
import type { Encoding } from './encodings.js';

/** Bytes that mean nothing in the encoding of the file. */
export class UndecodableError extends Error {
  override readonly name = 'UndecodableError';

  constructor(
    /** 0-based offset in the file. */
    readonly offset: number,
    /** What stands there: "byte 0x81", "half of a surrogate pair". */
    readonly found: string,
  ) {
    super(`${found} at byte ${offset}`);
  }
}

/** Turns a file into UTF-8, chunk by chunk. What it returns is valid until the next call. */
export interface Decoder {
  push(chunk: Buffer): Buffer;
  /** Throws {@link UndecodableError} where the file ends in the middle of a character. */
  end(): void;
}

/** `offset`: how many bytes of the file (its byte order mark) stand before the first chunk. */
export function decoderOf(encoding: Encoding, offset: number): Decoder {
  switch (encoding) {
    case 'utf-8':
      return { push: (chunk) => chunk, end: () => undefined };
    case 'windows-1252':
      return new Windows1252Decoder(offset);
    case 'utf-16le':
      return new Utf16Decoder(offset, 0, 1);
    case 'utf-16be':
      return new Utf16Decoder(offset, 1, 0);
  }
}

/** 0x80–0x9F of Windows-1252 (https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT); a blank is undefined. */
const C1 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';
/** Code point of each byte of Windows-1252; -1 where there is none. */
const WINDOWS_1252 = Int32Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x80 || byte > 0x9f) return byte;
  const character = C1[byte - 0x80] ?? ' ';
  return character === ' ' ? -1 : character.charCodeAt(0);
});

class Windows1252Decoder implements Decoder {
  private out = Buffer.alloc(0);

  constructor(private offset: number) {}

  push(chunk: Buffer): Buffer {
    const start = this.offset;
    this.offset += chunk.length;
    if (isAscii(chunk)) return chunk;
    if (this.out.length < chunk.length * 3) this.out = Buffer.alloc(chunk.length * 3);
    const out = this.out;
    let length = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] as number;
      const point = WINDOWS_1252[byte] as number;
      if (point < 0) throw new UndecodableError(start + index, `byte 0x${byte.toString(16)}`);
      length = writeUtf8(out, length, point);
    }
    return out.subarray(0, length);
  }

  end(): void {}
}

class Utf16Decoder implements Decoder {
  private out = Buffer.alloc(0);
  private rest: Buffer = Buffer.alloc(0);
  private high = 0;

  /** `low`, `top`: where in a pair of bytes the low and the high byte stand. */
  constructor(
    private offset: number,
    private readonly low: 0 | 1,
    private readonly top: 0 | 1,
  ) {}

  push(chunk: Buffer): Buffer {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const end = bytes.length - (bytes.length % 2);
    if (this.out.length < end * 2 + 4) this.out = Buffer.alloc(end * 2 + 4);
    let length = 0;
    for (let index = 0; index < end; index += 2) {
      const unit = (bytes[index + this.low] as number) | ((bytes[index + this.top] as number) << 8);
      length = this.append(unit, length, this.offset + index);
    }
    this.offset += end;
    this.rest = Buffer.from(bytes.subarray(end));
    return this.out.subarray(0, length);
  }

  end(): void {
    if (this.high !== 0) throw new UndecodableError(this.offset - 2, 'half of a surrogate pair');
    if (this.rest.length > 0) throw new UndecodableError(this.offset, 'half of a character');
  }

  private append(unit: number, length: number, offset: number): number {
    const isLowSurrogate = (unit & 0xfc00) === 0xdc00;
    if (isLowSurrogate !== (this.high !== 0)) {
      throw new UndecodableError(this.high === 0 ? offset : offset - 2, 'half of a surrogate pair');
    }
    if ((unit & 0xfc00) === 0xd800) {
      this.high = unit;
      return length;
    }
    const point = isLowSurrogate ? 0x10000 + ((this.high & 0x3ff) << 10) + (unit & 0x3ff) : unit;
    this.high = 0;
    return writeUtf8(this.out, length, point);
  }
}

function writeUtf8(out: Buffer, start: number, point: number): number {
  let length = start;
  if (point < 0x80) {
    out[length++] = point;
    return length;
  }
  if (point < 0x800) out[length++] = 0xc0 | (point >> 6);
  else {
    if (point < 0x10000) out[length++] = 0xe0 | (point >> 12);
    else {
      out[length++] = 0xf0 | (point >> 18);
      out[length++] = 0x80 | ((point >> 12) & 0x3f);
    }
    out[length++] = 0x80 | ((point >> 6) & 0x3f);
  }
  out[length++] = 0x80 | (point & 0x3f);
  return length;
}
