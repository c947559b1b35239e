/** A span of mpids, both ends included. */
export interface MpidRange {
  first: bigint;
  last: bigint;
}

/** How many members lie in each of the 65,536 equal spans of the mpids, by the span's number (may be sparse). */
export interface SpanCount {
  span: number;
  members: number;
}

const SPAN_BITS = 48n;
const FIRST_SPAN = -(2 ** 15);
const LAST_SPAN = 2 ** 15 - 1;

/** SQL (Int32) of the span of `mpid`. */
export const SPAN_SQL = `toInt32(bitShiftRight(mpid, ${SPAN_BITS}))`;

/**
 * Splits all mpids, ascending and without gaps, into ranges of about `targetMembers`. mpids are hashes, so the
 * spans are filled evenly; where they are not, a range is larger and still right.
 */
export function rangesOf(counts: readonly SpanCount[], targetMembers: number): MpidRange[] {
  const ranges: MpidRange[] = [];
  let firstSpan = FIRST_SPAN;
  let members = 0;
  const close = (lastSpan: number) => {
    ranges.push({ first: startOf(firstSpan), last: startOf(lastSpan + 1) - 1n });
    firstSpan = lastSpan + 1;
    members = 0;
  };
  for (const count of [...counts].sort((a, b) => a.span - b.span)) {
    if (members > 0 && members + count.members > targetMembers) close(count.span - 1);
    members += count.members;
  }
  close(LAST_SPAN);
  return ranges;
}

/** SQL condition over a column `mpid`. */
export function inRangeSql({ first, last }: MpidRange): string {
  // -2^63 cannot be written as a literal: its digits are read before its sign.
  const start = first === startOf(FIRST_SPAN) ? '1' : `mpid >= ${first}`;
  return `(${start} AND mpid <= ${last})`;
}

function startOf(span: number): bigint {
  return BigInt(span) << SPAN_BITS;
}
