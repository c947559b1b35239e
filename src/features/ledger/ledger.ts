import type { IdentityForm, IdentityType, OutputMember } from '../../kit/index.js';
import { anyPartnered, bareIdSql } from '../../domain/identities/data-partners.js';
import { typeNameSql } from '../../domain/identities/identity-codes.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { audiencesThatLearned, type IdentityRange, type LearnedOf } from './identity-changes.js';
import { membersOf, type IdentityRows } from './identity-rows.js';
import { LEAST_WINDOW_ROWS, nextRange, type PageRequest } from './ledger-range.js';
import { MemberPages, type RowsRequest } from './member-rows.js';
import { inOrderOfTypes } from './member-rows-sql.js';
import { keptSql, type KeptMembers } from './reached.js';
import { selectSql, type AudienceKey, type Selection } from './selections.js';
import {
  countWhollyShared,
  sharedValues,
  type ValuePage,
  type ValueRequest,
  type ValueWindow,
} from './shared-values.js';
import {
  sendableSql,
  sendCountsOf,
  sendCountsSql,
  type SendCounts,
  type SendCountsRow,
} from './send-counts.js';
import {
  betweenSql,
  changesCheckSql,
  changesSql,
  codesOf,
  formsOfTypeSql,
  formValueSql,
  IN_ORDER,
  mayLeaveOut,
  membersSql,
  MERGED,
  type MpidCondition,
} from './sql.js';

/** A member page, ascending by mpid. Members without any of the forms come with none of the keys. */
export interface MemberPage {
  members: OutputMember[];
  /** Pass as `after` for the next page; null: this was the last. */
  next: string | null;
}

/** One change of one profile's membership. */
export interface TimelineEntry {
  version: number;
  change: 'add' | 'remove';
  at: string;
}

/** Memberships: an append-only ledger, read at published versions. */
export class Ledger {
  constructor(private readonly warehouse: Warehouse) {}

  /** Number of profiles in a selection. */
  async count(key: AudienceKey, selection: Selection, condition?: MpidCondition): Promise<number> {
    const [row] = await this.warehouse.query<{ n: string | number }>(
      `SELECT count() AS n FROM (${selectSql(key, selection, condition)})`,
      { settings: selection.what === 'reached' ? MERGED : IN_ORDER, lane: 'bulk' },
    );
    return Number(row?.n ?? 0);
  }

  /** Profiles that came and that left between two versions: both counted in one go, by one thread. */
  async countChanges(
    { audienceId }: AudienceKey,
    range: { from: number; to: number },
    condition: MpidCondition = '1',
  ): Promise<{ added: number; removed: number }> {
    const rows = `ledger WHERE ${betweenSql(audienceId, range)} AND ${condition}`;
    const [leavers] = await this.warehouse.query<{ n: string }>(
      `SELECT count() AS n FROM ${rows} AND sign = -1`,
    );
    const [count] = await this.warehouse.query<{ added: string; removed: string }>(
      Number(leavers?.n ?? 0) === 0
        ? `SELECT count() AS added, 0 AS removed FROM (SELECT DISTINCT mpid FROM ${rows})`
        : `SELECT countIf(first = 1 AND last = 1) AS added, countIf(first = -1 AND last = -1) AS removed
           FROM (SELECT argMin(sign, version) AS first, argMax(sign, version) AS last FROM ${rows} GROUP BY mpid)`,
      { settings: { ...IN_ORDER, optimize_distinct_in_order: 1, max_threads: 1 }, lane: 'bulk' },
    );
    return { added: Number(count?.added ?? 0), removed: Number(count?.removed ?? 0) };
  }

  /** Who of the few that left between two versions, where `condition` holds, is kept at the partner; ascending. */
  async keptLeavers(
    { audienceId }: AudienceKey,
    range: { from: number; to: number },
    kept: readonly KeptMembers[],
    condition: MpidCondition,
  ): Promise<string[]> {
    const leavers = changesSql(audienceId, range, 'remove', condition);
    const rows = await this.warehouse.query<{ m: string }>(
      `SELECT toString(mpid) AS m FROM (${keptSql(leavers, kept, condition, { isFew: true })}) ORDER BY mpid`,
      { settings: IN_ORDER },
    );
    return rows.map(({ m }) => m);
  }

  /** Of some who leave, the values that somebody who is there has as well. */
  sharedValues(request: ValueRequest, window: ValueWindow): Promise<ValuePage> {
    return sharedValues(this.warehouse, request, window);
  }

  /** How many of them have no others. */
  countWhollyShared(request: ValueRequest): Promise<number> {
    return countWhollyShared(this.warehouse, request);
  }

  /** What sending a selection would come to: who has which of the identities, and who none. */
  async sendCounts(
    key: AudienceKey,
    selection: Selection,
    forms: readonly IdentityForm[],
    condition?: MpidCondition,
  ): Promise<SendCounts> {
    const members = selectSql(key, selection, condition);
    const [row] = await this.warehouse.query<SendCountsRow>(sendCountsSql(key.workspace, members, forms), {
      settings: MERGED,
      lane: 'bulk',
    });
    return sendCountsOf(row, forms);
  }

  /** Of a selection: who has any of the forms, or the values that they have in them, each once. */
  async countSendable(
    key: AudienceKey,
    selection: Selection,
    {
      forms,
      of,
      condition,
    }: { forms: readonly IdentityForm[]; of: 'members' | 'identities'; condition: MpidCondition },
  ): Promise<number> {
    const members = selectSql(key, selection, condition);
    const [row] = await this.warehouse.query<{ n: string }>(sendableSql(key.workspace, members, forms, of), {
      settings: MERGED,
      lane: 'bulk',
    });
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
    const { condition = '1' } = request;
    const forms = inOrderOfTypes(request.forms);
    const found = await nextRange(this.warehouse, key, selection, request);
    if (!found) return { members: [], next: null };
    const { inside, next } = found;
    const chosen = selectSql(key, selection, `${inside} AND ${condition}`);
    const [row] = await this.warehouse.query<IdentityRows & { members: string[] }>(
      `SELECT (SELECT groupArray(toString(mpid)) FROM (${chosen} ORDER BY mpid)) AS members,
         groupArray(toString(mpid)) AS owners, groupArray(form) AS form, groupArray(out) AS value
       FROM (
         SELECT mpid, arrayJoin(${formsOfTypeSql(forms)}) AS form, ${formValueSql(forms)} AS out FROM profiles
         WHERE workspace = ${key.workspace} AND type IN (${codesOf(forms).join(', ') || '0'})
           AND ${inside} AND mpid IN (${chosen})
         ORDER BY mpid, form, out)
       ${mayLeaveOut(forms) ? "WHERE out != ''" : ''}`,
      { settings: IN_ORDER },
    );
    const members = row === undefined ? [] : membersOf(row.members, row, forms);
    return { members, next };
  }

  /** The members of a selection as the rows of which batches are made. */
  pages(key: AudienceKey, selection: Selection, request: RowsRequest): MemberPages {
    return new MemberPages(this.warehouse, key, selection, request);
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

  /** Which of the audiences had members who learned something, and what. */
  audiencesThatLearned(
    workspace: number,
    audienceIds: readonly number[],
    range: IdentityRange,
  ): Promise<Map<number, LearnedOf>> {
    return audiencesThatLearned(this.warehouse, workspace, audienceIds, range);
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

  /** Changes of one version. Rows written twice count once. */
  async countsOf(audienceId: number, version: number): Promise<{ added: number; removed: number }> {
    const [row] = await this.warehouse.query<{ added: string; removed: string }>(
      `SELECT countIf(s = 1) AS added, countIf(s = -1) AS removed FROM (
         SELECT any(sign) AS s FROM ledger WHERE audience_id = ${audienceId} AND version = ${version} GROUP BY mpid)`,
      { settings: IN_ORDER, lane: 'bulk' },
    );
    return { added: Number(row?.added ?? 0), removed: Number(row?.removed ?? 0) };
  }

  /** True where the ledger holds these changes as `version`, and no others. */
  async holds(
    audienceId: number,
    version: number,
    meant: { added: number; removed: number; check: string },
  ): Promise<boolean> {
    const rows = `SELECT mpid, sign FROM ledger WHERE audience_id = ${audienceId} AND version = ${version}`;
    // Rows written twice count once; there are hardly ever any, and to look for them is dear.
    const once = `SELECT mpid, any(sign) AS sign FROM (${rows}) GROUP BY mpid`;
    return (await this.areChanges(rows, meant)) || this.areChanges(once, meant);
  }

  private async areChanges(select: string, meant: { added: number; removed: number; check: string }) {
    const [row] = await this.warehouse.query<{ added: string; removed: string; check: string }>(
      `SELECT countIf(sign = 1) AS added, countIf(sign = -1) AS removed, ${changesCheckSql('mpid', 'sign')} AS check
       FROM (${select})`,
      { settings: IN_ORDER, lane: 'bulk' },
    );
    return (
      Number(row?.added) === meant.added &&
      Number(row?.removed) === meant.removed &&
      row?.check === meant.check
    );
  }

  /** SQL of `mpid, value, type` of every identity of the given types of the members, bare of data partners, in mpid order. */
  memberIdentitiesSql(
    key: AudienceKey,
    version: number,
    codes: readonly number[],
    condition?: MpidCondition,
  ): string {
    const value = anyPartnered(codes) ? bareIdSql('i.type', 'i.value') : 'i.value';
    return `SELECT m.mpid AS mpid, ${value} AS value, i.type AS type
      FROM (${membersSql(key.audienceId, version, condition)}) AS m
      INNER JOIN (
        SELECT mpid, type, value FROM profiles
        WHERE workspace = ${key.workspace} AND type IN (${codes.join(', ')}) AND ${condition ?? '1'}
        GROUP BY workspace, mpid, type, value
      ) AS i ON m.mpid = i.mpid`;
  }
}
