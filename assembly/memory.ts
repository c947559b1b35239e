/*
 * The memory of the writer, as `src/domain/members/writer/writer-memory.ts` and `layout.ts` know it as well. Everything that is
 * read or written stands in windows that the caller filled, each with 32 bytes to spare behind its end.
 */

// Fields of four bytes each.
export const OWNER: usize = 0;
export const OWNERS_END: usize = 4;
export const IDENTITY: usize = 8;
export const IDENTITIES_END: usize = 12;
export const IS_LAST_IDENTITY: usize = 16;
export const ATTRIBUTE: usize = 20;
export const ATTRIBUTES_END: usize = 24;
export const IS_LAST_ATTRIBUTE: usize = 28;
export const OUT: usize = 32;
export const OUT_END: usize = 36;
/** Members or rows that were written, and of how many rows there may be no more. */
export const WRITTEN: usize = 40;
export const MOST: usize = 44;
/** Rows of the present member that were written already, and the number of that member. */
export const ROW: usize = 48;
export const MEMBER: usize = 52;
export const VALUES: usize = 56;
export const VALUES_END: usize = 60;
export const ROW_OWNERS: usize = 64;
export const COLUMNS: usize = 68;
export const LONGEST: usize = 72;
// Of the writer alone.
export const DIGITS: usize = 0x100;
export const SCRATCH_END: usize = 0x3e0;
// Tables of the layout.
export const PLACE_OF: usize = 0x400;
export const PACKED: usize = 0x500;
export const TYPE_OF: usize = 0x600;
/** Of each place, whether others are of its type. */
export const HAS_OTHERS: usize = 0x800;
/** Pieces: address and length. */
export const OPENING: usize = 0x700;
export const NEXT: usize = 0x708;
export const FIRST_HEADS: usize = 0x1000;
export const HEADS_BEHIND_ATTRIBUTES: usize = 0x1800;
export const NEXT_HEADS: usize = 0x2000;
export const FIRST_NAMES: usize = 0x2800;
export const NEXT_NAMES: usize = 0x3000;
/** Of each column: type, whether its parts are cells, the piece where there is no value, the one behind a value. */
export const COLUMN: usize = 0x3800;
export const COLUMN_BYTES: usize = 24;
// What `write` returns.
export const DONE: i32 = 0;
export const WANTS_IDENTITIES: i32 = 1;
export const WANTS_ATTRIBUTES: i32 = 2;
export const WANTS_ROOM: i32 = 3;
export const WANTS_VALUES: i32 = 4;
export const HAS_ENOUGH: i32 = 5;

export const MPID_BYTES: usize = 8;
/** mpid, place, and the first byte of a length that may have nine more. */
export const LONGEST_HEAD: usize = 19;
/** Of a value: place, where it begins and ends, bytes of each digest. */
export const VALUE_BYTES: usize = 16;
/** Of a byte that JSON writes as \u00xx; what stands around a value. */
export const LONGEST_ESCAPE: usize = 6;
export const AROUND: usize = 32;
export const QUOTE: u8 = 0x22;
export const COMMA: u8 = 0x2c;
export const MINUS: u8 = 0x2d;
export const ZERO: u8 = 0x30;
export const BAR: u8 = 0x7c;

@inline export function field(at: usize): usize {
  return load<u32>(at);
}

@inline export function set(at: usize, value: usize): void {
  store<u32>(at, <u32>value);
}
