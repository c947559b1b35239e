/* The identities of one member: found, in their order, none twice in a type. */

import {
  BAR,
  DONE,
  field,
  HAS_OTHERS,
  IDENTITIES_END,
  IDENTITY,
  IS_LAST_IDENTITY,
  LONGEST_HEAD,
  MPID_BYTES,
  PACKED,
  PLACE_OF,
  set,
  TYPE_OF,
  VALUE_BYTES,
  VALUES,
  VALUES_END,
  WANTS_IDENTITIES,
  WANTS_VALUES,
  ZERO,
} from './memory';

/** Where the value of the row that was last looked at begins and ends. */
let valueFrom: usize = 0;
let valueEnd: usize = 0;
/** How many values the present member has, and their bytes. */
let values: i32 = 0;
let bytes: usize = 0;
/** Where the identities behind those of the present member begin. */
let next: usize = 0;

export function rowFrom(): usize {
  return valueFrom;
}

export function rowEnd(): usize {
  return valueEnd;
}

export function count(): i32 {
  return values;
}

export function countedBytes(): usize {
  return bytes;
}

export function nextIdentity(): usize {
  return next;
}

/** Looks at a row of `mpid, place, value`; false where the window ends before it does. */
@inline export function lookAt(at: usize, end: usize, isLast: bool): bool {
  if (at + LONGEST_HEAD > end && !isLast) return false;
  let from = at + MPID_BYTES + 1;
  let length = <usize>load<u8>(from++);
  if (length >= 0x80) {
    length &= 0x7f;
    for (let shift: usize = 7; ; shift += 7) {
      const more = <usize>load<u8>(from++);
      length |= (more & 0x7f) << shift;
      if (more < 0x80) break;
    }
  }
  valueFrom = from;
  valueEnd = from + length;
  // A length of more than 32 bits would lead back.
  return valueEnd >= from && valueEnd <= end;
}

/** Bytes of the text that a value stands for, and one of them. */
function textLength(from: usize, end: usize, digest: usize): usize {
  return digest == 0 ? end - from : 2 * (end - from) + (end - from) / digest - 1;
}

function textByte(from: usize, digest: usize, index: usize): u8 {
  if (digest == 0) return load<u8>(from + index);
  const each: usize = 2 * digest + 1;
  const within = index % each;
  if (within == 2 * digest) return BAR;
  const byte = load<u8>(from + (index / each) * digest + within / 2);
  const four = (within & 1) == 0 ? byte >> 4 : byte & 0x0f;
  return four < 10 ? ZERO + four : 0x57 + four;
}

/** The order of two values' texts. Digests stand in that of their digits. */
function compare(from: usize, end: usize, digest: usize, other: usize): i32 {
  const otherFrom = field(other + 4);
  const otherEnd = field(other + 8);
  const otherDigest = field(other + 12);
  const isSameKind = digest == otherDigest;
  const length = isSameKind ? end - from : textLength(from, end, digest);
  const otherLength = isSameKind ? otherEnd - otherFrom : textLength(otherFrom, otherEnd, otherDigest);
  const least = min(length, otherLength);
  for (let index: usize = 0; index < least; index++) {
    const one = isSameKind ? load<u8>(from + index) : textByte(from, digest, index);
    const next = isSameKind ? load<u8>(otherFrom + index) : textByte(otherFrom, otherDigest, index);
    if (one != next) return one < next ? -1 : 1;
  }
  return length == otherLength ? 0 : length < otherLength ? -1 : 1;
}

@inline export function valueAt(index: i32): usize {
  return field(VALUES) + <usize>index * VALUE_BYTES;
}

/** Puts the value of a row among the member's, in the order of places and then of texts; none twice in a type. */
function insert(place: usize): void {
  let from = valueFrom;
  let digest: usize = 0;
  if (load<u8>(PACKED + place) != 0) digest = load<u8>(from++);
  if (load<u8>(HAS_OTHERS + place) != 0 && isElsewhere(place, from, digest)) return;
  let index = values;
  // Mostly it belongs to the end, where the engine put it.
  for (; index > 0; index--) {
    const other = valueAt(index - 1);
    const otherPlace = field(other);
    if (otherPlace < place) break;
    if (otherPlace > place) continue;
    const order = compare(from, valueEnd, digest, other);
    if (order == 0) return;
    if (order > 0) break;
  }
  memory.copy(valueAt(index + 1), valueAt(index), <usize>(values - index) * VALUE_BYTES);
  const value = valueAt(index);
  set(value, place);
  set(value + 4, from);
  set(value + 8, valueEnd);
  set(value + 12, digest);
  values += 1;
}

/** Whether a place before this one, of the same type, has the value: it keeps it. One behind gives it up. */
function isElsewhere(place: usize, from: usize, digest: usize): bool {
  const type = load<u8>(TYPE_OF + place);
  for (let index = 0; index < values; index++) {
    const other = valueAt(index);
    const otherPlace = field(other);
    if (otherPlace == place || load<u8>(TYPE_OF + otherPlace) != type) continue;
    if (compare(from, valueEnd, digest, other) != 0) continue;
    if (otherPlace < place) return true;
    remove(index--);
  }
  return false;
}

function remove(index: i32): void {
  values -= 1;
  memory.copy(valueAt(index), valueAt(index + 1), <usize>(values - index) * VALUE_BYTES);
}

/** Gathers the identities of a member, from `at` on, and sets the field behind them; what it returns is as of `write`. */
export function gather(mpid: i64): i32 {
  const end = field(IDENTITIES_END);
  const isLast = field(IS_LAST_IDENTITY) != 0;
  const most = <i32>((field(VALUES_END) - field(VALUES)) / VALUE_BYTES) - 1;
  values = 0;
  bytes = 0;
  let at = field(IDENTITY);
  while (at < end || !isLast) {
    if (!lookAt(at, end, isLast)) return WANTS_IDENTITIES;
    const owner = load<i64>(at);
    if (owner > mpid) break;
    if (owner == mpid && valueEnd > valueFrom) {
      if (values == most) return WANTS_VALUES;
      insert(load<u8>(PLACE_OF + load<u8>(at + MPID_BYTES)));
      bytes += valueEnd - valueFrom;
    }
    at = valueEnd;
  }
  next = at;
  return DONE;
}
