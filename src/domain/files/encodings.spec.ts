import { describe, expect, it } from '@jest/globals';
import { looksLikeShiftJis, looksNonWestern, sniffEncoding } from './encodings.js';

const SAMPLE_BYTES = 65_536;

/** ASCII of so many bytes, with NUL at some places. */
function withZeros(length: number, places: readonly number[]): Buffer {
  const bytes = Buffer.alloc(length, 'a');
  for (const place of places) bytes[place] = 0;
  return bytes;
}

describe('the encoding of a file', () => {
  it.each([
    ['efbbbf61', 'utf-8', 3],
    ['fffe6100', 'utf-16le', 2],
    ['feff0061', 'utf-16be', 2],
    ['fffe0000', 'utf-32', 4],
    ['0000feff', 'utf-32', 4],
    ['fffe', 'utf-16le', 2],
    ['61efbbbf', 'utf-8', 0],
    ['6161fffe', 'utf-8', 0],
    ['6161feff', 'utf-8', 0],
    ['', 'utf-8', 0],
  ])('that begins with the bytes "%s" is %s, by a mark of %d bytes', (hex, encoding, bomBytes) => {
    expect(sniffEncoding(Buffer.from(hex, 'hex'))).toEqual({ encoding, bomBytes });
  });

  const twelve = Array.from({ length: 12 }, (_, index) => index * 2);
  const odd = (places: readonly number[]) => places.map((place) => place + 1);

  it.each<[string, number, number[], string]>([
    ['of every tenth pair, in the low bytes', 40, [1, 3], 'utf-16le'],
    ['of every tenth pair, in the high bytes', 40, [0, 2], 'utf-16be'],
    ['of fewer pairs, low', 42, [1, 3], 'utf-8'],
    ['of fewer pairs, high', 42, [0, 2], 'utf-8'],
    ['low, but not in the first character', 40, [3, 5, 7], 'utf-8'],
    ['low, but not in the second character', 40, [1, 5, 7], 'utf-8'],
    ['high, but not in the first character', 40, [2, 4, 6], 'utf-8'],
    ['high, but not in the second character', 40, [0, 4, 6], 'utf-8'],
    ['eleven low for one high', 100, [...odd(twelve.slice(0, 11)), 90], 'utf-16le'],
    ['ten low for one high', 100, [...odd(twelve.slice(0, 10)), 90], 'utf-8'],
    ['eleven high for one low', 100, [...twelve.slice(0, 11), 91], 'utf-16be'],
    ['ten high for one low', 100, [...twelve.slice(0, 10), 91], 'utf-8'],
    ['three of ten, here and there', 10, [4, 5, 7], 'binary'],
    ['two of ten, here and there', 10, [4, 5], 'utf-8'],
  ])('without mark goes by its zero bytes: %s', (_, length, places, encoding) => {
    expect(sniffEncoding(withZeros(length, places))).toEqual({ encoding, bomBytes: 0 });
  });

  it('is told by its first 64 KiB', () => {
    const late = Buffer.concat([Buffer.alloc(SAMPLE_BYTES, 'a'), Buffer.alloc(SAMPLE_BYTES)]);
    expect(sniffEncoding(late).encoding).toBe('utf-8');
  });
});

/** Kana of a byte each, in Shift_JIS. */
const kana = (count: number) => '\xb1'.repeat(count);
const alone = (count: number, byte = '\xb1') => ` a${byte}`.repeat(count);
/** Begins a character that never ends well. */
const DAMAGED = '\xff';

describe('Shift_JIS', () => {
  it.each([
    ['words of two characters', kana(2), true],
    ['characters that stand alone', alone(5), false],
    ['ASCII alone', 'email', false],
    ['three characters of five in words', kana(3) + alone(2), true],
    ['three characters of six in words', kana(3) + alone(3), false],
    ['a character that is cut off at the end', `${kana(3)}\x83`, true],
    ['two damaged characters', kana(8) + DAMAGED.repeat(2), false],
    ['two damaged characters in a hundred', kana(98) + DAMAGED.repeat(2), true],
    ['three damaged characters in a hundred', kana(97) + DAMAGED.repeat(3), false],
    ['words behind the first 64 KiB', 'a'.repeat(SAMPLE_BYTES) + kana(9), false],
  ])('is told by its words: %s', (_, text, isShiftJis) => {
    expect(looksLikeShiftJis(Buffer.from(text, 'latin1'))).toBe(isShiftJis);
  });
});

describe('another script than the western one', () => {
  const word = (count: number) => '\xef'.repeat(count);

  it.each([
    ['a word of three letters', word(3), true],
    ['pairs of letters', `${word(2)} ${word(2)}`, false],
    ['ASCII alone', 'email', false],
    ['three letters of five in words', word(3) + alone(2), true],
    ['three letters of six in words', word(3) + alone(3), false],
    ['four letters of seven in words', word(4) + alone(3), true],
    ['five letters of nine in words', word(5) + alone(4), true],
    ['five letters of ten in words', word(5) + alone(5), false],
    ['letters just above ASCII', '\x80\x80\x80', true],
    ['ASCII to its end', '\x7f\x7f\x7f', false],
    ['words behind the first 64 KiB', 'a'.repeat(SAMPLE_BYTES) + word(9), false],
  ])('is told by its words: %s', (_, text, isForeign) => {
    expect(looksNonWestern(Buffer.from(text, 'latin1'))).toBe(isForeign);
  });
});
