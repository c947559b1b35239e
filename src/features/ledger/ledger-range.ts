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
}

/** Rows of the ledger that a full page looks at together. */
export const LEAST_WINDOW_ROWS = 1000;

/** The next `limit` rows of the ledger by which `selection` is found; undefined where there are none. */
export async function nextRange(
  warehouse: Warehouse,
  key: AudienceKey,
  selection: Selection,
  { after, limit }: Pick<PageRequest, 'after' | 'limit'>,
): Promise<LedgerRange | undefined> {
  const start = afterSql(after);
  const order = selection.what === 'learned' ? 'mpid' : 'audience_id, mpid';
  const candidates = await warehouse.rows(
    `SELECT mpid FROM ${rowsSql(key, selection)} AND ${start} ORDER BY ${order} LIMIT ${limit}`,
    { settings: ROWS_SETTINGS },
  );
  const rows = candidates.length / MPID_BYTES;
  if (rows === 0) return undefined;
  const last = mpidAt(candidates, candidates.length - MPID_BYTES);
  return {
    inside: `${start} AND mpid <= ${mpidSql(last)}`,
    candidates,
    rows,
    next: rows < limit ? null : last,
  };
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
