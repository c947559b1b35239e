/** Up to so many rows, a table is written in small blocks. */
const SMALL_INSERT_ROWS = 4_000_000;

/** The same for a file that is staged. */
const SMALL_FILE_BYTES = 128 * 2 ** 20;

const SMALL_BLOCKS = { min_insert_block_size_rows: 262_144 } as const;

/**
 * Settings of an INSERT of so many rows. A block is sorted and written by one thread, and one of the engine's own size
 * (a million rows) holds all of a small set, so that one thread does everything. Large sets would be left in too many
 * parts.
 */
export function blocksOfRows(rows: number): Record<string, number> {
  return rows > SMALL_INSERT_ROWS ? {} : SMALL_BLOCKS;
}

/** The same for the rows of a file. */
export function blocksOfFile(sizeBytes: number): Record<string, number> {
  return sizeBytes > SMALL_FILE_BYTES ? {} : SMALL_BLOCKS;
}

/**
 * Settings of an INSERT of texts of any length: every thread collects a block before it sorts and writes it, and
 * blocks of the engine's own size take half a gigabyte each.
 */
export const WIDE_BLOCKS = {
  min_insert_block_size_rows: 262_144,
  min_insert_block_size_bytes: 32 * 2 ** 20,
} as const;
