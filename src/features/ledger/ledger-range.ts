import type { IdentityForm } from '../../kit/index.js';
import { MPID_BYTES, mpidAt } from '../../domain/members/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { rowsSql, type AudienceKey, type Selection } from './selections.js';
import { ROWS_SETTINGS, type MpidCondition } from './sql.js';

/** Where a page begins and what is in it. */
export interface PageRequest {
  after: string | null;
  limit: number;
  forms: readonly IdentityForm[];
  condition?: MpidCondition;
  /** Whether a page may have fewer members than `limit`, or none, before the end. */
  sparse?: boolean;
}

/** Some rows of the ledger, side by side: a condition on their mpids, and where the rows after them begin. */
export interface LedgerRange {
  inside: MpidCondition;
  /** mpids of those by which a selection is found: Int64, ascending, some of them twice. */
  candidates: Buffer;
  rows: number;
  next: string | null;
  /** The memory of which `candidates` are the last part. */
  window?: Buffer;
}

/** Rows of the ledger that a full page looks at together. */
export const LEAST_WINDOW_ROWS = 1000;

/**
 * Rows of the ledger that are read at once, of which ranges are parts: asking for a few costs a third of asking for so
 * many. 8 MiB of mpids.
 */
const WINDOW_ROWS = 2 ** 20;

/** What was read, what of it was not handed out yet, and whether there are rows behind it. */
interface Window {
  mpids: Buffer;
  from: number;
  after: string | null;
  isLast: boolean;
}

/**
 * Ranges one after the other. The first window is for this range and one twice as large, because somebody waits for it;
 * each later one is read as soon as the one before it is handed out.
 */
export class LedgerRanges {
  #window: Window | undefined;
  #coming: { after: string; window: Promise<Window> } | undefined;

  constructor(
    private readonly warehouse: Warehouse,
    private readonly key: AudienceKey,
    private readonly selection: Selection,
  ) {}

  /** The next `limit` rows by which the selection is found, or some more; undefined where there are none. */
  async next({ after, limit }: Pick<PageRequest, 'after' | 'limit'>): Promise<LedgerRange | undefined> {
    const window = await this.windowAfter(after, limit);
    const range = rangeIn(window, limit);
    const isSpent = range === undefined || range.window !== undefined;
    this.#window = isSpent ? undefined : window;
    if (isSpent && range?.next) this.#coming = this.ask(range.next, Math.max(limit, WINDOW_ROWS));
    return range;
  }

  private async windowAfter(after: string | null, limit: number): Promise<Window> {
    const coming = this.#coming;
    this.#coming = undefined;
    if (this.#window?.after === after) return this.#window;
    return coming?.after === after ? coming.window : this.read(after, 3 * limit);
  }

  private ask(after: string, limit: number) {
    const window = this.read(after, limit);
    // Whoever stops early never asks for it; its failure is then nobody's.
    window.catch(() => undefined);
    return { after, window };
  }

  private read(after: string | null, limit: number): Promise<Window> {
    return readWindow(this.warehouse, this.key, this.selection, { after, limit });
  }
}

/** The next `limit` rows of the ledger by which `selection` is found; undefined where there are none. */
export async function nextRange(
  warehouse: Warehouse,
  key: AudienceKey,
  selection: Selection,
  page: Pick<PageRequest, 'after' | 'limit'>,
): Promise<LedgerRange | undefined> {
  return rangeIn(await readWindow(warehouse, key, selection, page), page.limit);
}

async function readWindow(
  warehouse: Warehouse,
  key: AudienceKey,
  selection: Selection,
  { after, limit }: Pick<PageRequest, 'after' | 'limit'>,
): Promise<Window> {
  const order = selection.what === 'learned' ? 'mpid' : 'audience_id, mpid';
  const mpids = await warehouse.rows(
    `SELECT mpid FROM ${rowsSql(key, selection)} AND ${afterSql(after)} ORDER BY ${order} LIMIT ${limit}`,
    { settings: ROWS_SETTINGS },
  );
  return { mpids, from: 0, after, isLast: mpids.length / MPID_BYTES < limit };
}

/** Takes the next rows out of a window. */
function rangeIn(window: Window, limit: number): LedgerRange | undefined {
  const { mpids, from, after, isLast } = window;
  if (from === mpids.length) return undefined;
  const end = endOfRows(mpids, from, limit);
  const last = mpidAt(mpids, end - MPID_BYTES);
  const isWindowsEnd = end === mpids.length;
  window.from = end;
  window.after = last;
  return {
    inside: `${afterSql(after)} AND mpid <= ${mpidSql(last)}`,
    candidates: mpids.subarray(from, end),
    rows: (end - from) / MPID_BYTES,
    next: isWindowsEnd && isLast ? null : last,
    ...(isWindowsEnd ? { window: mpids } : {}),
  };
}

/** Where `rows` of them end, in bytes: behind all that were written twice, or the second one would come as another. */
function endOfRows(mpids: Buffer, from: number, rows: number): number {
  const isRepeat = (at: number) => mpids.compare(mpids, at - MPID_BYTES, at, at, at + MPID_BYTES) === 0;
  let end = Math.min(from + rows * MPID_BYTES, mpids.length);
  while (end < mpids.length && isRepeat(end)) end += MPID_BYTES;
  return end;
}

/** Condition on the mpids that come behind one; null: all. */
export function afterSql(after: string | null): MpidCondition {
  return after === null ? '1' : `mpid > ${mpidSql(after)}`;
}

/** Condition on the mpids from one to another, both included. */
export function betweenMpidsSql(first: string, last: string): MpidCondition {
  return `mpid >= ${mpidSql(first)} AND mpid <= ${mpidSql(last)}`;
}

/** -2^63 cannot be written as a literal: its digits are read before its sign. */
const mpidSql = (mpid: string): string => `toInt64('${BigInt(mpid)}')`;
