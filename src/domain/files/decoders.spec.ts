import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decoderOf } from './decoders.js';
import type { Encoding } from './encodings.js';
import { Utf8Check } from './utf8-check.js';

/** `bytes` in pieces of the given sizes, the last one with what is left. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  let start = 0;
  for (const size of sizes) {
    cut.push(bytes.subarray(start, start + size));
    start += size;
  }
  return [...cut, bytes.subarray(start)];
}

function decode(encoding: Encoding, chunks: readonly Buffer[], offset = 0): string {
  const decoder = decoderOf(encoding, offset);
  const decoded = chunks.map((chunk) => Buffer.from(decoder.push(chunk)));
  decoder.end();
  return Buffer.concat(decoded).toString();
}

const sizes = fc.array(fc.nat(7), { maxLength: 10 });

describe('decoders', () => {
  it('read UTF-16 of either byte order, however it is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), sizes, (text, cuts) => {
        const bytes = Buffer.from(text, 'utf16le');
        expect(decode('utf-16le', pieces(bytes, cuts))).toBe(text);
        expect(decode('utf-16be', pieces(Buffer.from(bytes).swap16(), cuts))).toBe(text);
      }),
    );
  });

  it('read the first and last characters of each length in UTF-8', () => {
    const text = '\x7f\x80\u07ff\u0800\uffff\u{10000}\u{10ffff}';
    expect(decode('utf-16le', [Buffer.from(text, 'utf16le')])).toBe(text);
    expect(decode('utf-8', [Buffer.from(text)])).toBe(text);
  });

  it('read Windows-1252: 0x80 to 0x9f by its table, the rest as Latin-1', () => {
    // 0 = undefined, from the mapping that Unicode publishes.
    const table = [
      0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
      0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
      0x0153, 0, 0x017e, 0x0178,
    ];
    for (let byte = 0; byte < 256; byte++) {
      const point = byte >= 0x80 && byte < 0xa0 ? table[byte - 0x80] : byte;
      const read = () => decode('windows-1252', [Buffer.from([0xe9, byte])], 10);
      if (point === 0 && byte > 0) expect(read).toThrow(expect.objectContaining({ offset: 11 }));
      else expect(read()).toBe(`é${String.fromCodePoint(point ?? 0)}`);
    }
  });

  it('read Windows-1252 however it is cut, with later pieces larger than the first', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', '\0', 'é', '€'), maxLength: 60 });
    fc.assert(
      fc.property(texts, sizes, (text, cuts) => {
        const bytes = Buffer.from(text.replaceAll('€', '\x80'), 'latin1');
        expect(decode('windows-1252', pieces(bytes, cuts))).toBe(text);
      }),
    );
  });

  it.each<[Encoding, string, number]>([
    ['windows-1252', '616161819d', 13],
    ['utf-16le', '610000d86100', 12],
    ['utf-16le', '610000dc6100', 12],
    ['utf-16le', '610000d8', 12],
    ['utf-16be', '006100', 12],
  ])('say at which byte of the file %s breaks off (%s)', (encoding, hex, offset) => {
    const chunks = pieces(Buffer.from(hex, 'hex'), [1, 1, 1]);
    expect(() => decode(encoding, chunks, 10)).toThrow(expect.objectContaining({ offset }));
  });
});

describe('the check for UTF-8', () => {
  it('agrees with the platform, however the bytes are cut, and finds the first wrong byte', () => {
    const bytes = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc
        .array(fc.constantFrom(0x61, 0xc2, 0xc3, 0xa9, 0xe3, 0x81, 0xf0, 0x9f, 0x98, 0xff))
        .map((list) => Buffer.from(list)),
    );
    fc.assert(
      fc.property(bytes, sizes, (all, cuts) => {
        const check = new Utf8Check();
        for (const piece of pieces(all, cuts)) check.push(piece);
        check.end();
        const { invalidAt = all.length } = check;
        expect(isWhole(all.subarray(0, invalidAt))).toBe(true);
        expect(check.beyondAscii).toBe(all.subarray(0, invalidAt).some((byte) => byte > 0x7f));
        for (let length = 1; length <= 4 && invalidAt < all.length; length++) {
          expect(isWhole(all.subarray(invalidAt, invalidAt + length))).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function isWhole(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
