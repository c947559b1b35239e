/** Counts of a refresh that is ready to be committed. */
export interface RefreshCounts {
  /** Members of the published version; 0 for an audience without one. */
  previousSize: number;
  nextSize: number;
  added: number;
  removed: number;
  rowsRead: number;
  rowsRejected: number;
  /** The file ends inside a record: an open quote, or a last line cut off. */
  endsMidRecord: boolean;
  /** Rows that the sender of the file says there are. */
  declaredRows?: number;
  /** Share of its members an audience may lose in one refresh, 0 to 1. Default 0.5. */
  maxShrinkShare?: number;
}

/** Why a refresh is held. */
export const HOLD_CODES = [
  'LOOKS_TRUNCATED',
  'MOSTLY_REJECTED',
  'ROW_COUNT_DIFFERS',
  'WOULD_BE_EMPTY',
  'WOULD_SHRINK',
] as const;

/** One of {@link HOLD_CODES}. */
export type HoldCode = (typeof HOLD_CODES)[number];

/** Publish, or keep the members as they are until somebody releases or discards the import. */
export type RefreshVerdict = { verdict: 'pass' } | { verdict: 'hold'; code: HoldCode; message: string };

export const DEFAULT_MAX_SHRINK_SHARE = 0.5;
const MAX_REJECTED_SHARE = 0.5;

/** Rows by which a file may miss the declared count, whatever its size: a header counted in, blank lines. */
const COUNT_TOLERANCE_ROWS = 10;
/** Share of the rows by which it may. */
const COUNT_TOLERANCE_SHARE = 0.1;

/**
 * Guards an audience against a broken file. A first import is never held for shrinking: there is nothing it
 * could shrink.
 */
export function judgeRefresh(counts: RefreshCounts): RefreshVerdict {
  const {
    previousSize,
    nextSize,
    rowsRead,
    rowsRejected,
    maxShrinkShare = DEFAULT_MAX_SHRINK_SHARE,
  } = counts;
  if (counts.endsMidRecord) {
    return hold('LOOKS_TRUNCATED', `The file ends in the middle of a record after ${rowsRead} rows.`);
  }
  if (rowsRejected > rowsRead * MAX_REJECTED_SHARE) {
    return hold('MOSTLY_REJECTED', `${rowsRejected} of ${rowsRead} rows were rejected, more than half.`);
  }
  if (counts.declaredRows !== undefined && missesCount(rowsRead, counts.declaredRows)) {
    return hold('ROW_COUNT_DIFFERS', rowCountSentence(rowsRead, counts.declaredRows));
  }
  if (previousSize > 0 && nextSize === 0) {
    return hold('WOULD_BE_EMPTY', `All ${previousSize} members would be removed.`);
  }
  if (previousSize - nextSize > previousSize * maxShrinkShare) {
    const change = `from ${previousSize} to ${nextSize} members (${counts.removed} removed, ${counts.added} added)`;
    return hold(
      'WOULD_SHRINK',
      `The audience would shrink ${change}; at most ${percent(maxShrinkShare)} may go.`,
    );
  }
  return { verdict: 'pass' };
}

/** What is said of a file whose rows are not as many as declared. */
export function rowCountSentence(rowsRead: number, declaredRows: number): string {
  return `The file has ${rowsRead} rows, and ${declaredRows} were declared.`;
}

function missesCount(rowsRead: number, declaredRows: number): boolean {
  const allowed = Math.max(COUNT_TOLERANCE_ROWS, Math.max(rowsRead, declaredRows) * COUNT_TOLERANCE_SHARE);
  return Math.abs(rowsRead - declaredRows) > allowed;
}

function hold(code: HoldCode, what: string): RefreshVerdict {
  const message = `${what} Nothing was changed. Release the import if this is right, else discard it and upload a corrected file.`;
  return { verdict: 'hold', code, message };
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
