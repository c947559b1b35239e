import type { IdentityForm, IdentityType, OutputMember } from '../../kit/index.js';
import { typeNameSql } from '../../domain/identities/identity-codes.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { changesSql, codesOf, formSql, IN_ORDER, membersSql, type MpidCondition } from './sql.js';

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
      { settings: IN_ORDER, lane: 'bulk' },
    );
    return Number(row?.n ?? 0);
  }

  /** The next `limit` profiles of a selection after `after` (exclusive), with the identities in `forms`. */
  async page(
    key: AudienceKey,
    selection: Selection,
    request: {
      after: string | null;
      limit: number;
      forms: readonly IdentityForm[];
      condition?: MpidCondition;
    },
  ): Promise<MemberPage> {
    const { forms, limit } = request;
    const start = request.after === null ? '1' : `mpid > ${BigInt(request.after)}`;
    const chosen = selectSql(key, selection, `${start} AND ${request.condition ?? '1'}`);
    const columns = forms.map((form, index) => `${formSql(form)} AS f${index}`);
    const names = forms.map((_, index) => `f${index}`);
    const [row] = await this.warehouse.query<{ rows: [string, ...string[][]][] }>(
      `WITH page AS (${chosen} ORDER BY mpid LIMIT ${limit})
       SELECT arrayMap(m -> ${tupleSql(
         'toString(m.1)',
         names.map((_, index) => `m.${index + 2}`),
       )}, sorted) AS rows
       FROM (
         SELECT arraySort(m -> m.1, groupArray(${tupleSql('p.mpid', names)})) AS sorted
         FROM page AS p
         LEFT JOIN (
           SELECT ${['mpid', ...columns].join(', ')} FROM profiles
           WHERE workspace = ${key.workspace} AND type IN (${codesOf(forms).join(', ') || '0'}) AND mpid IN (page)
           GROUP BY mpid
         ) AS i ON p.mpid = i.mpid)`,
      { settings: IN_ORDER },
    );
    const rows = row?.rows ?? [];
    const members = rows.map(([mpid, ...values]) => ({ mpid, identities: identitiesOf(forms, values) }));
    return { members, next: rows.length < limit ? null : (members.at(-1)?.mpid ?? null) };
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

/** Never of one element only: `tuple(x)` and `(x)` print alike, and the page's rows must be arrays. */
function tupleSql(first: string, rest: readonly string[]): string {
  return `tuple(${[first, ...rest].join(', ')})`;
}

function selectSql(key: AudienceKey, selection: Selection, condition?: MpidCondition): string {
  if (selection.what === 'members') return membersSql(key.audienceId, selection.version, condition);
  return changesSql(key.audienceId, selection, selection.what, condition);
}

function identitiesOf(forms: readonly IdentityForm[], values: string[][]): OutputMember['identities'] {
  const identities: { [T in IdentityType]?: readonly string[] } = {};
  forms.forEach((form, index) => {
    const found = values[index];
    if (found !== undefined && found.length > 0) identities[form.type] = found;
  });
  return identities;
}
