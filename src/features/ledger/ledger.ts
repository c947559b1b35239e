import type { IdentityForm, IdentityType, OutputMember } from '../../kit/index.js';
import { typeNameSql } from '../../domain/identities/identity-codes.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import {
  changesSql,
  codesOf,
  formsOfTypeSql,
  formValueSql,
  IN_ORDER,
  membersSql,
  type MpidCondition,
} from './sql.js';

/** An audience in the warehouse's terms. */
export interface AudienceKey {
  audienceId: number;
  /** `workspaces.number`. */
  workspace: number;
}

/** What to read of an audience: all members at a version, or those who came or went between two. */
export type Selection =
  { what: 'members'; version: number } | { what: 'add' | 'remove'; from: number; to: number };

/** A member page, ascending by mpid. Members without any of the forms come with none of the keys. */
export interface MemberPage {
  members: OutputMember[];
  /** Pass as `after` for the next page; null: this was the last. */
  next: string | null;
}

/** Where a page begins and what is in it. */
export interface PageRequest {
  after: string | null;
  limit: number;
  forms: readonly IdentityForm[];
  condition?: MpidCondition;
  /** Whether a page may have fewer members than `limit`, or none, before the end. */
  sparse?: boolean;
}

/** One change of one profile's membership. */
export interface TimelineEntry {
  version: number;
  change: 'add' | 'remove';
  at: string;
}

/** Rows of the ledger that a full page looks at together. */
const LEAST_WINDOW_ROWS = 1000;

/** Memberships: an append-only ledger, read at published versions. */
export class Ledger {
  constructor(private readonly warehouse: Warehouse) {}

  /** Number of profiles in a selection. */
  async count(key: AudienceKey, selection: Selection, condition?: MpidCondition): Promise<number> {
    const [row] = await this.warehouse.query<{ n: string | number }>(
      `SELECT count() AS n FROM (${selectSql(key, selection, condition)})`,
      { settings: IN_ORDER, lane: 'bulk' },
    );
    return Number(row?.n ?? 0);
  }

  /**
   * The next profiles of a selection after `after` (exclusive), with the identities in `forms`: at most `limit`,
   * and fewer only at the end or where `sparse` pages do: those are made of the next `limit` rows of the
   * ledger, whatever is left of them.
   */
  async page(key: AudienceKey, selection: Selection, request: PageRequest): Promise<MemberPage> {
    const { limit, sparse = false } = request;
    // A small page of an audience with many rows and few members left would need one window after another.
    const rows = sparse ? limit : Math.max(limit, LEAST_WINDOW_ROWS);
    const members: OutputMember[] = [];
    let next = request.after;
    for (;;) {
      const window = await this.window(key, selection, { ...request, after: next, limit: rows });
      members.push(...window.members);
      ({ next } = window);
      if (next === null || sparse || members.length >= limit) break;
    }
    if (members.length <= limit) return { members, next };
    members.length = limit;
    return { members, next: members.at(-1)?.mpid ?? null };
  }

  /**
   * The members among the next `limit` rows of the ledger. Both queries are bounded by the window's ends, so
   * a page costs the same wherever it is and however large the audience.
   */
  private async window(key: AudienceKey, selection: Selection, request: PageRequest): Promise<MemberPage> {
    const { after, limit, forms, condition = '1' } = request;
    const start = after === null ? '1' : `mpid > ${mpidSql(after)}`;
    const [end] = await this.warehouse.query<{ last: string; n: string }>(
      `SELECT toString(max(mpid)) AS last, count() AS n FROM (
         SELECT mpid FROM ledger WHERE ${rangeSql(key, selection)} AND ${start} ORDER BY audience_id, mpid LIMIT ${limit})`,
      { settings: IN_ORDER },
    );
    if (end === undefined || Number(end.n) === 0) return { members: [], next: null };
    const inside = `${start} AND mpid <= ${mpidSql(end.last)}`;
    const chosen = selectSql(key, selection, `${inside} AND ${condition}`);
    const [row] = await this.warehouse.query<IdentityRows & { members: string[] }>(
      `SELECT (SELECT groupArray(toString(mpid)) FROM (${chosen} ORDER BY mpid)) AS members,
         groupArray(toString(mpid)) AS owners, groupArray(form) AS form, groupArray(out) AS value
       FROM (
         SELECT mpid, arrayJoin(${formsOfTypeSql(forms)}) AS form, ${formValueSql(forms)} AS out FROM profiles
         WHERE workspace = ${key.workspace} AND type IN (${codesOf(forms).join(', ') || '0'})
           AND ${inside} AND mpid IN (${chosen})
         ORDER BY mpid, form, out)`,
      { settings: IN_ORDER },
    );
    const members = row === undefined ? [] : membersOf(row.members, row, forms);
    return { members, next: Number(end.n) < limit ? null : end.last };
  }

  /** Every change of one profile in one audience up to the published version, oldest first. */
  async timeline(key: AudienceKey, mpid: string, version: number): Promise<TimelineEntry[]> {
    const rows = await this.warehouse.query<{ version: number; sign: number; at: string }>(
      `SELECT version, any(sign) AS sign, formatDateTime(min(at), '%Y-%m-%dT%H:%i:%S', 'UTC') AS at
       FROM ledger WHERE audience_id = {audience:UInt64} AND mpid = {mpid:Int64} AND version <= {version:UInt32}
       GROUP BY version ORDER BY version`,
      { params: { audience: key.audienceId, mpid: BigInt(mpid), version } },
    );
    return rows.map((row) => ({
      version: row.version,
      change: row.sign === 1 ? 'add' : 'remove',
      at: `${row.at}Z`,
    }));
  }

  /** Identities of one profile, strongest type first. */
  async identitiesOf(workspace: number, mpid: string): Promise<{ type: IdentityType; value: string }[]> {
    return this.warehouse.query<{ type: IdentityType; value: string }>(
      `SELECT DISTINCT ${typeNameSql('type')} AS type, value FROM profiles
       WHERE workspace = {workspace:UInt32} AND mpid = {mpid:Int64} ORDER BY profiles.type, value`,
      { params: { workspace, mpid: BigInt(mpid) } },
    );
  }

  /** Writes the members of `from` as version 1 of `to`. Run twice, it writes the same. */
  async copy(
    from: { audienceId: number; version: number },
    to: { audienceId: number; version: number },
  ): Promise<void> {
    await this.discardAbove(to.audienceId, to.version - 1);
    await this.warehouse.command(
      `INSERT INTO ledger SELECT ${to.audienceId}, mpid, ${to.version}, 1, now64(3)
       FROM (${membersSql(from.audienceId, from.version)})`,
      { settings: IN_ORDER, lane: 'bulk' },
    );
  }

  /** Deletes rows above the published version, which a process that died may have left. */
  async discardAbove(audienceId: number, version: number): Promise<void> {
    const where = `audience_id = ${audienceId} AND version > ${version}`;
    const [row] = await this.warehouse.query<{ n: string | number }>(
      `SELECT count() AS n FROM ledger WHERE ${where}`,
    );
    if (Number(row?.n ?? 0) === 0) return;
    await this.warehouse.command(`ALTER TABLE ledger DELETE WHERE ${where}`, {
      settings: { mutations_sync: 2 },
      lane: 'bulk',
    });
  }

  /** Rows of one version, for the check before it is published. Rows written twice count once. */
  async countsOf(audienceId: number, version: number): Promise<{ added: number; removed: number }> {
    const [row] = await this.warehouse.query<{ added: string; removed: string }>(
      `SELECT countIf(s = 1) AS added, countIf(s = -1) AS removed FROM (
         SELECT any(sign) AS s FROM ledger WHERE audience_id = ${audienceId} AND version = ${version} GROUP BY mpid)`,
      { settings: IN_ORDER, lane: 'bulk' },
    );
    return { added: Number(row?.added ?? 0), removed: Number(row?.removed ?? 0) };
  }

  /** SQL of `mpid, value, type` of every identity of the given types of the members, in mpid order. */
  memberIdentitiesSql(
    key: AudienceKey,
    version: number,
    codes: readonly number[],
    condition?: MpidCondition,
  ): string {
    return `SELECT m.mpid AS mpid, i.value AS value, i.type AS type
      FROM (${membersSql(key.audienceId, version, condition)}) AS m
      INNER JOIN (
        SELECT mpid, type, value FROM profiles
        WHERE workspace = ${key.workspace} AND type IN (${codes.join(', ')}) AND ${condition ?? '1'}
        GROUP BY workspace, mpid, type, value
      ) AS i ON m.mpid = i.mpid`;
  }
}

function selectSql(key: AudienceKey, selection: Selection, condition?: MpidCondition): string {
  if (selection.what === 'members') return membersSql(key.audienceId, selection.version, condition);
  return changesSql(key.audienceId, selection, selection.what, condition);
}

/** -2^63 cannot be written as a literal: its digits are read before its sign. */
const mpidSql = (mpid: string): string => `toInt64('${BigInt(mpid)}')`;

/**
 * The rows of the ledger by which a selection is found: whoever is or became a member has a row that says so, and
 * whoever left one that says that. Without the sign, looking for leavers would walk through all who came.
 */
function rangeSql({ audienceId }: AudienceKey, selection: Selection): string {
  const [from, to] = selection.what === 'members' ? [0, selection.version] : [selection.from, selection.to];
  const sign = selection.what === 'remove' ? -1 : 1;
  return `audience_id = ${audienceId} AND version > ${from} AND version <= ${to} AND sign = ${sign}`;
}

/** Identities as columns, ascending by owner, form and value; where a value is stored twice it comes twice. */
interface IdentityRows {
  owners: string[];
  /** Index into the forms that were asked for. */
  form: number[];
  value: string[];
}

/** Puts identities to their members; both are in the order of the mpids. */
function membersOf(
  mpids: readonly string[],
  { owners, form, value }: IdentityRows,
  forms: readonly IdentityForm[],
): OutputMember[] {
  let at = 0;
  return mpids.map((mpid) => {
    const identities: { [T in IdentityType]?: string[] } = {};
    for (; owners[at] === mpid; at += 1) {
      const type = forms[form[at] ?? -1]?.type;
      const text = value[at];
      if (type === undefined || text === undefined) continue;
      const values = (identities[type] ??= []);
      if (values.at(-1) !== text) values.push(text);
    }
    return { mpid, identities };
  });
}
