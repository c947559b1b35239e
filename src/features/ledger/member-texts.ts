import type { Warehouse } from '../../platform/warehouse/index.js';
import { LEAST_WINDOW_ROWS, nextRange, type LedgerRange, type PageRequest } from './ledger-range.js';
import { MEMBER_TEXT_SETTINGS, memberTextSql } from './member-text-sql.js';
import { isRaw, RAW_TEXT_SETTINGS, rawTextSql } from './raw-text-sql.js';
import { rowsSql, selectSql, type AudienceKey, type Selection } from './selections.js';

/** Members as text, see `domain/members`, ascending by mpid. */
export interface TextPage {
  text: Buffer;
  /** Pass as `after` for the next page; null: this was the last. */
  next: string | null;
  /** Some members have none of the forms. Pass as `bare` for the next page: it will hardly be otherwise. */
  bare: boolean;
}

/** Sifting costs a look-up an identity, and saves the reading, sorting and writing of those who are not meant. */
const SPARSE_FACTOR = 10;

const NEWLINE = 0x0a;

/**
 * The members among the next `limit` rows of the ledger. Where identities go out as they are stored, they are read as
 * they stand there, which is quickest, but does not see members who have none. So the members are counted, and where
 * some are missing all are read again beside the ledger.
 */
export async function memberTexts(
  warehouse: Warehouse,
  key: AudienceKey,
  selection: Selection,
  request: PageRequest & Partial<Pick<TextPage, 'bare'>>,
): Promise<TextPage> {
  const found = await nextRange(warehouse, key, selection, request);
  if (!found) return { text: Buffer.alloc(0), next: null, bare: false };
  const { next } = found;
  const { forms, attributes = [] } = request;
  const asStored =
    request.bare !== true && isRaw(forms) && attributes.length === 0
      ? await storedTexts(warehouse, key, selection, request, found)
      : undefined;
  if (asStored !== undefined) return { text: asStored, next, bare: false };
  const condition = `${found.inside} AND ${request.condition ?? '1'}`;
  const members = selectSql(key, selection, condition);
  const few = await isSparse(warehouse, key, found);
  const read = few ? `${found.inside} AND mpid IN (${members})` : found.inside;
  const text = await warehouse.blob(memberTextSql(key.workspace, members, forms, read, attributes), {
    settings: MEMBER_TEXT_SETTINGS,
  });
  return { text, next, bare: true };
}

/** The text of a range where every member has one of the forms; undefined where somebody has none. */
async function storedTexts(
  warehouse: Warehouse,
  key: AudienceKey,
  selection: Selection,
  { forms, condition }: PageRequest,
  { inside, rows, isPlain }: LedgerRange,
): Promise<Buffer | undefined> {
  const chosen = `${inside} AND ${condition ?? '1'}`;
  const members = isPlain
    ? `SELECT mpid FROM ${rowsSql(key, selection)} AND ${chosen}`
    : selectSql(key, selection, chosen);
  const [answer, wanted] = await Promise.all([
    warehouse.blob(rawTextSql(key.workspace, members, forms, inside), { settings: RAW_TEXT_SETTINGS }),
    isPlain && (condition ?? '1') === '1' ? rows : countOf(warehouse, members),
  ]);
  const line = answer.indexOf(NEWLINE);
  return Number(answer.toString('latin1', 0, line)) === wanted ? answer.subarray(line + 1) : undefined;
}

async function countOf(warehouse: Warehouse, members: string): Promise<number> {
  const [row] = await warehouse.query<{ n: string }>(`SELECT uniqExact(mpid) AS n FROM (${members})`);
  return Number(row?.n ?? 0);
}

/**
 * Whether the workspace has so many more identities in a range than the ledger has rows there that they are to be
 * sifted before they are merged. By the index alone: it reads no rows.
 */
async function isSparse(
  warehouse: Warehouse,
  { workspace }: AudienceKey,
  { inside, rows }: LedgerRange,
): Promise<boolean> {
  const [estimate] = await warehouse.query<{ identities: string }>(
    `SELECT sum(rows) AS identities FROM (
       EXPLAIN ESTIMATE SELECT mpid FROM profiles WHERE workspace = ${workspace} AND ${inside})`,
  );
  return Number(estimate?.identities ?? 0) > SPARSE_FACTOR * Math.max(rows, LEAST_WINDOW_ROWS);
}
