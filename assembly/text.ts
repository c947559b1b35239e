/* What is written, and its end. */

import { BAR, COMMA, DIGITS, field, MINUS, QUOTE, SCRATCH_END, ZERO } from './memory';

/** Writes a value that is not plain as a JSON string, quotes included, to `to`; the bytes written. */
@external("writer", "escape")
declare function escape(from: usize, end: usize, to: usize): usize;

let out: usize = 0;

for (let pair: usize = 0; pair < 100; pair++) {
  store<u8>(DIGITS + 2 * pair, ZERO + <u8>(pair / 10));
  store<u8>(DIGITS + 2 * pair + 1, ZERO + <u8>(pair % 10));
}

export function end(): usize {
  return out;
}

export function writeAt(at: usize): void {
  out = at;
}

@inline export function addByte(byte: u8): void {
  store<u8>(out, byte);
  out += 1;
}

@inline export function addPiece(at: usize): void {
  const from = field(at);
  const length = field(at + 4);
  for (let index: usize = 0; index < length; index += 16) v128.store(out + index, v128.load(from + index));
  out += length;
}

export function addInteger(integer: i64): void {
  if (integer < 0) addByte(MINUS);
  // The least of all has no opposite, but as an unsigned number it is its own.
  let left = integer < 0 ? <u64>0 - <u64>integer : <u64>integer;
  let at = SCRATCH_END;
  while (left >= 100) {
    const hundreds = left / 100;
    at -= 2;
    store<u16>(at, load<u16>(DIGITS + 2 * <usize>(left - hundreds * 100)));
    left = hundreds;
  }
  at -= 2;
  store<u16>(at, load<u16>(DIGITS + 2 * <usize>left));
  if (left < 10) at += 1;
  v128.store(out, v128.load(at));
  store<u32>(out + 16, load<u32>(at + 16));
  out += SCRATCH_END - at;
}

/** Adds what is plain ASCII and needs no escape; false, and nothing, where something else is among it. */
@inline function addPlain(from: usize, end: usize): bool {
  const length = end - from;
  for (let index: usize = 0; index < length; index += 16) {
    const some = v128.load(from + index);
    v128.store(out + index, some);
    // As signed bytes, those beyond ASCII are below the space as well.
    const isBelow = i8x16.lt_s(some, i8x16.splat(0x20));
    const isMarked = v128.or(i8x16.eq(some, i8x16.splat(0x22)), i8x16.eq(some, i8x16.splat(0x5c)));
    let found = i8x16.bitmask(v128.or(isBelow, isMarked));
    if (length - index < 16) found &= (1 << <i32>(length - index)) - 1;
    if (found != 0) return false;
  }
  out += length;
  return true;
}

export function addString(from: usize, end: usize): void {
  const start = out;
  addByte(QUOTE);
  if (addPlain(from, end)) addByte(QUOTE);
  else out = start + escape(from, end, start);
}

/** Sixteen bytes at a time: a digest that is no multiple of them is followed by more than it has. */
function addHex(from: usize, length: usize): void {
  const digits = i8x16(48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102);
  const four = i8x16.splat(0x0f);
  for (let index: usize = 0; index < length; index += 16) {
    const some = v128.load(from + index);
    const upper = i8x16.swizzle(digits, v128.and(i16x8.shr_u(some, 4), four));
    const lower = i8x16.swizzle(digits, v128.and(some, four));
    const to = out + 2 * index;
    v128.store(to, v128.shuffle<u8>(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(
      to + 16,
      v128.shuffle<u8>(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
    );
  }
  out += 2 * length;
}

/** Adds a value as a JSON string, or each of its parts as one. */
export function addValue(value: usize, hasParts: bool): void {
  const from = field(value + 4);
  const end = field(value + 8);
  const digest = field(value + 12);
  if (digest == 0 && !hasParts) return addString(from, end);
  if (digest == 0) return addParts(from, end);
  addByte(QUOTE);
  for (let at = from; at < end; at += digest) {
    if (at > from && hasParts) {
      addByte(QUOTE);
      addByte(COMMA);
      addByte(QUOTE);
    } else if (at > from) addByte(BAR);
    addHex(at, digest);
  }
  addByte(QUOTE);
}

function addParts(from: usize, end: usize): void {
  let start = from;
  for (let at = from; at < end; at++) {
    if (load<u8>(at) != BAR) continue;
    addString(start, at);
    addByte(COMMA);
    start = at + 1;
  }
  addString(start, end);
}
