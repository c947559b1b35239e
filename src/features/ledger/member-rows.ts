import { MPID_BYTES, type MemberRows } from '../../domain/members/index.js';
import { isProfiled } from '../../domain/normalisation/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { LEAST_WINDOW_ROWS, nextRange, type LedgerRange, type PageRequest } from './ledger-range.js';
import { attributeRowsSql, identityRowsSql, inOrderOfTypes } from './member-rows-sql.js';
import { oppositeRowsSql, rowsSql, selectSql, type AudienceKey, type Selection } from './selections.js';
import { IN_ORDER, ROWS_SETTINGS, type MpidCondition } from './sql.js';

/** Members as rows, ascending by mpid. All of them are in memory. */
export interface RowsPage {
  rows: MemberRows;
  /** Pass as `after` for the next page; null: this was the last. */
  next: string | null;
}

/**
 * Looking members up by the index costs several times what reading the identities one after another does, as long as
 * those of others are not this many times more.
 */
const SPARSE_FACTOR = 10;

const NOTHING = Buffer.alloc(0);

/** The members among the next `limit` rows of the ledger. */
export async function memberRows(
  warehouse: Warehouse,
  key: AudienceKey,
  selection: Selection,
  request: PageRequest,
): Promise<RowsPage> {
  const forms = inOrderOfTypes(request.forms);
  const { attributes: shared = [] } = request;
  const named = { types: forms.map(({ type }) => type), names: shared.map(({ name }) => name) };
  const found = await nextRange(warehouse, key, selection, request);
  if (!found)
    return { rows: { owners: NOTHING, identities: NOTHING, attributes: NOTHING, ...named }, next: null };
  const { inside, next } = found;
  const condition = `${inside} AND ${request.condition ?? '1'}`;
  // Whoever is selected has such a row; of those who have one and are not, what is read is passed by.
  const likely = `SELECT mpid FROM ${rowsSql(key, selection)} AND ${condition}`;
  // Hashes and partners' rules are; all threads are for them.
  const isWork = forms.some((form) => form.encoding !== 'raw' || isProfiled(form));
  const lookUp = async () => {
    const byIndex = await isSparse(warehouse, key, found);
    const settings = { ...(isWork ? IN_ORDER : ROWS_SETTINGS), use_index_for_in_with_subqueries: byIndex };
    return Promise.all([
      forms.length === 0
        ? NOTHING
        : warehouse.rows(identityRowsSql(key.workspace, likely, forms, inside), { settings }),
      shared.length === 0
        ? NOTHING
        : warehouse.rows(attributeRowsSql(key.workspace, likely, shared, inside), { settings }),
    ]);
  };
  const [owners, [identities, attributes]] = await Promise.all([
    ownersIn(warehouse, key, selection, { found, condition: request.condition ?? '1' }),
    forms.length + shared.length === 0 ? [NOTHING, NOTHING] : lookUp(),
  ]);
  return { rows: { owners, identities, attributes, ...named }, next };
}

/** Members of a selection in a range. Mostly they are all who have such a row. */
async function ownersIn(
  warehouse: Warehouse,
  key: AudienceKey,
  selection: Selection,
  { found: { inside, candidates }, condition }: { found: LedgerRange; condition: MpidCondition },
): Promise<Buffer> {
  const opposite = oppositeRowsSql(key, selection);
  if (condition === '1' && opposite !== undefined) {
    const [row] = await warehouse.query<{ n: string }>(`SELECT count() AS n FROM ${opposite} AND ${inside}`);
    if (Number(row?.n) === 0) return withoutRepeats(candidates);
  }
  const members = selectSql(key, selection, `${inside} AND ${condition}`);
  return warehouse.rows(`${members} ORDER BY mpid`, { settings: ROWS_SETTINGS });
}

/** Rows that were written twice stand side by side. */
function withoutRepeats(mpids: Buffer): Buffer {
  const repeats: number[] = [];
  for (let at = MPID_BYTES; at < mpids.length; at += MPID_BYTES)
    if (mpids.compare(mpids, at - MPID_BYTES, at, at, at + MPID_BYTES) === 0) repeats.push(at);
  if (repeats.length === 0) return mpids;
  const ends = [...repeats, mpids.length];
  return Buffer.concat(
    ends.map((end, index) => mpids.subarray(index === 0 ? 0 : (repeats[index - 1] ?? 0) + MPID_BYTES, end)),
  );
}

/**
 * 1 where the workspace has so many more identities in a range than the ledger has rows there that they are to be
 * looked up; else 0. By the index alone: it reads no rows.
 */
async function isSparse(
  warehouse: Warehouse,
  { workspace }: AudienceKey,
  { inside, rows }: LedgerRange,
): Promise<0 | 1> {
  const [estimate] = await warehouse.query<{ identities: string }>(
    `SELECT sum(rows) AS identities FROM (
       EXPLAIN ESTIMATE SELECT mpid FROM profiles WHERE workspace = ${workspace} AND ${inside})`,
  );
  return Number(estimate?.identities ?? 0) > SPARSE_FACTOR * Math.max(rows, LEAST_WINDOW_ROWS) ? 1 : 0;
}
