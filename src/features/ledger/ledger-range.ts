import type { SharedAttribute } from '../../domain/identities/index.js';
import type { IdentityForm } from '../../kit/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { oppositeRowsSql, rowsSql, type AudienceKey, type Selection } from './selections.js';
import { IN_ORDER, type MpidCondition } from './sql.js';

/** Where a page begins and what is in it. */
export interface PageRequest {
  after: string | null;
  limit: number;
  forms: readonly IdentityForm[];
  condition?: MpidCondition;
  /** Of `texts`: attributes that go with the identities. */
  attributes?: readonly SharedAttribute[];
  /** Whether a page may have fewer members than `limit`, or none, before the end. */
  sparse?: boolean;
}

/** Some rows of the ledger, side by side: a condition on their mpids, and where the rows after them begin. */
export interface LedgerRange {
  inside: MpidCondition;
  /** Those by which a selection is found. */
  rows: number;
  /** Everybody who has such a row is selected: no row between the same versions says the opposite. */
  isPlain: boolean;
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
  const opposite = oppositeRowsSql(key, selection);
  const [end] = await warehouse.query<{ last: string; n: string; others: string }>(
    `WITH (SELECT (max(mpid), count()) FROM (
         SELECT mpid FROM ${rowsSql(key, selection)} AND ${start} ORDER BY ${order} LIMIT ${limit})) AS page
     SELECT toString(page.1) AS last, page.2 AS n,
       ${opposite === undefined ? '1' : `(SELECT count() FROM ${opposite} AND ${start} AND mpid <= page.1)`} AS others`,
    { settings: IN_ORDER },
  );
  if (end === undefined || Number(end.n) === 0) return undefined;
  return {
    inside: `${start} AND mpid <= ${mpidSql(end.last)}`,
    rows: Number(end.n),
    isPlain: Number(end.others) === 0,
    next: Number(end.n) < limit ? null : end.last,
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
