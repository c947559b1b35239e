/*
 * Writes members as JSON: the inner loops of `src/domain/members/member-json.ts`, in AssemblyScript, which becomes
 * WebAssembly (`npm run assembly`). See docs/adr/0017-members-are-written-by-a-compiled-writer.md.
 */

import {
  AROUND,
  ATTRIBUTE,
  ATTRIBUTES_END,
  COLUMN,
  COLUMN_BYTES,
  COLUMNS,
  COMMA,
  DONE,
  FIRST_HEADS,
  FIRST_NAMES,
  HAS_ENOUGH,
  HEADS_BEHIND_ATTRIBUTES,
  IDENTITY,
  IS_LAST_ATTRIBUTE,
  LONGEST,
  LONGEST_ESCAPE,
  MEMBER,
  MOST,
  MPID_BYTES,
  NEXT,
  NEXT_HEADS,
  NEXT_NAMES,
  OPENING,
  OUT,
  OUT_END,
  OWNER,
  OWNERS_END,
  ROW,
  ROW_OWNERS,
  TYPE_OF,
  WANTS_ATTRIBUTES,
  WANTS_ROOM,
  WRITTEN,
  field,
  set,
} from './memory';
import { addByte, addInteger, addPiece, addString, addValue, end, writeAt } from './text';
import { count, countedBytes, gather, lookAt, nextIdentity, rowEnd, rowFrom, valueAt } from './values';

/** Where the attributes behind those of the present member begin, and the most bytes that its own become. */
let nextAttribute: usize = 0;
let attributeBytes: usize = 0;

/** Finds the attributes of a member: passes those before them by, and counts the bytes of its own. */
function findAttributes(mpid: i64): i32 {
  const attributesEnd = field(ATTRIBUTES_END);
  const isLast = field(IS_LAST_ATTRIBUTE) != 0;
  let at = field(ATTRIBUTE);
  nextAttribute = at;
  attributeBytes = 0;
  while (at < attributesEnd || !isLast) {
    if (!lookAt(at, attributesEnd, isLast)) return WANTS_ATTRIBUTES;
    const owner = load<i64>(at);
    if (owner > mpid) break;
    at = rowEnd();
    if (owner < mpid) set(ATTRIBUTE, at);
    else attributeBytes += rowEnd() - rowFrom() + field(LONGEST) + AROUND;
  }
  nextAttribute = at;
  return DONE;
}

function addObject(mpid: i64): void {
  addPiece(field(WRITTEN) == 0 ? OPENING : NEXT);
  addInteger(mpid);
  let heads = FIRST_HEADS;
  let names = FIRST_NAMES;
  for (let at = field(ATTRIBUTE); at < nextAttribute; at = rowEnd()) {
    lookAt(at, nextAttribute, true);
    addPiece(names + 8 * <usize>load<u8>(at + MPID_BYTES));
    addString(rowFrom(), rowEnd());
    names = NEXT_NAMES;
    heads = HEADS_BEHIND_ATTRIBUTES;
  }
  let before: i32 = -1;
  for (let index = 0; index < count(); index++) {
    const value = valueAt(index);
    const place = field(value);
    const type = <i32>load<u8>(TYPE_OF + place);
    if (type == before) addByte(COMMA);
    else addPiece(heads + 8 * place);
    heads = NEXT_HEADS;
    before = type;
    addValue(value, false);
  }
  set(WRITTEN, field(WRITTEN) + 1);
}

/** Adds the member's rows from field ROW on; false where there are enough before its last one. */
function addRows(): bool {
  const columns = field(COLUMNS);
  let height: usize = 0;
  for (let column: usize = 0; column < columns; column++) height = max(height, countOf(column));
  for (let row = field(ROW); row < height; row++) {
    const written = field(WRITTEN);
    if (written == field(MOST)) {
      set(ROW, row);
      return false;
    }
    addPiece(written == 0 ? OPENING : NEXT);
    for (let column: usize = 0; column < columns; column++) addCell(column, row);
    set(field(ROW_OWNERS) + 4 * written, field(MEMBER));
    set(WRITTEN, written + 1);
  }
  set(ROW, 0);
  return true;
}

function addCell(column: usize, row: usize): void {
  const at = COLUMN + column * COLUMN_BYTES;
  if (column > 0) addByte(COMMA);
  if (row >= countOf(column)) return addPiece(at + 8);
  addValue(valueAt(firstOf(column) + <i32>row), field(at + 4) != 0);
  addPiece(at + 16);
}

/** Values of a column's type, which stand side by side. */
function firstOf(column: usize): i32 {
  const type = field(COLUMN + column * COLUMN_BYTES);
  let index = 0;
  while (index < count() && load<u8>(TYPE_OF + field(valueAt(index))) != type) index++;
  return index;
}

function countOf(column: usize): usize {
  const type = field(COLUMN + column * COLUMN_BYTES);
  const first = firstOf(column);
  let index = first;
  while (index < count() && load<u8>(TYPE_OF + field(valueAt(index))) == type) index++;
  return <usize>(index - first);
}

/** Most bytes that the present member may become. */
function mostBytes(): usize {
  const cells = max(field(COLUMNS), 1);
  const pieces = (<usize>count() * cells + 2) * (2 * field(LONGEST) + AROUND);
  return pieces + LONGEST_ESCAPE * (countedBytes() + attributeBytes);
}

/** Writes the members between the fields OWNER and OWNERS_END, those of them who have an identity, as far as it gets. */
export function write(): i32 {
  writeAt(field(OUT));
  const ownersEnd = field(OWNERS_END);
  for (let owner = field(OWNER); owner < ownersEnd; owner += MPID_BYTES) {
    set(OWNER, owner);
    const mpid = load<i64>(owner);
    const gathered = gather(mpid);
    if (gathered != DONE) return gathered;
    const found = findAttributes(mpid);
    if (found != DONE) return found;
    if (count() > 0) {
      if (end() + mostBytes() > field(OUT_END)) return WANTS_ROOM;
      if (field(COLUMNS) == 0) addObject(mpid);
      else {
        const isWhole = addRows();
        set(OUT, end());
        if (!isWhole) return HAS_ENOUGH;
      }
      set(OUT, end());
      set(MEMBER, field(MEMBER) + 1);
    }
    set(IDENTITY, nextIdentity());
    set(ATTRIBUTE, nextAttribute);
  }
  set(OWNER, ownersEnd);
  return DONE;
}
