import { codeOf } from '../../domain/identities/index.js';
import type { IdentityType } from '../../kit/index.js';
import type { Database } from '../../platform/database/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { entrySql, FORM_CODES, formsSql, suppressionKey, withFormsSql } from '../suppressions/index.js';

/** An erasure in the warehouse's terms. */
export interface ErasureKey {
  id: string;
  /** `workspaces.number`. */
  workspace: number;
}

/** An identity as an import would store it. */
export interface GivenIdentity {
  type: IdentityType;
  value: string;
}

/** Identities of one statement: their values go into the request's address. */
const CHUNK = 200;
/** Type of a target that is no identity but an mpid. */
const MPID = 0;

const NOW = 'now64(3)';
const bulk = { lane: 'bulk' } as const;

/** `SELECT mpid` of everybody an erasure is about, once they were found. */
export function leavingSql({ id, workspace }: ErasureKey): string {
  return `SELECT mpid FROM erasure_profiles WHERE workspace = ${workspace} AND erasure = '${id}'`;
}

/**
 * Who an erasure is about. Values pass through and are not kept: targets are hashes, and go when the erasure is done;
 * suppressions are keyed hashes, and stay.
 */
export class ErasurePeople {
  constructor(
    private readonly db: Database,
    private readonly warehouse: Warehouse,
  ) {}

  /** Notes identities and all their hash forms. Written twice, they are there once. */
  async aimAt(key: ErasureKey, given: readonly GivenIdentity[]): Promise<void> {
    for (let at = 0; at < given.length; at += CHUNK) {
      const chunk = given.slice(at, at + CHUNK);
      const params = {
        types: chunk.map(({ type }) => codeOf(type)),
        values: chunk.map(({ value }) => value),
      };
      const select = `SELECT pair.1 AS type, pair.2 AS value
        FROM (SELECT arrayJoin(arrayZip({types:Array(UInt8)}, {values:Array(String)})) AS pair)`;
      await this.warehouse.command(targetsSql(key, select), { params });
    }
  }

  /** The same of `SELECT type, value`. */
  async aimAtAll(key: ErasureKey, select: string): Promise<void> {
    await this.warehouse.command(targetsSql(key, select), bulk);
  }

  async aimAtMpids({ id, workspace }: ErasureKey, mpids: readonly string[]): Promise<void> {
    if (mpids.length === 0) return;
    await this.warehouse.command(
      `INSERT INTO erasure_targets
       SELECT ${workspace}, '${id}', ${MPID}, toUInt128(arrayJoin({mpids:Array(UInt64)})), toUInt128(0), ${NOW}`,
      { params: { mpids: mpids.map((mpid) => BigInt.asUintN(64, BigInt(mpid))) } },
    );
  }

  /** Different identities and mpids that were given. */
  async countGiven(key: ErasureKey): Promise<number> {
    return this.count(
      `SELECT uniqExact(type, hash) AS n FROM erasure_targets WHERE ${ofErasure(key)} AND origin = toUInt128(0)`,
    );
  }

  /** Nobody becomes a member by these identities from here on. */
  async suppress(key: ErasureKey): Promise<void> {
    await this.enter(
      key,
      `SELECT type, hash, origin FROM erasure_targets WHERE ${ofErasure(key)} AND type != ${MPID}`,
    );
  }

  /**
   * Finds whose the identities are, and suppresses all identities of theirs. Under the workspace's identity lease, so that
   * who is being registered is found, or is kept from it. Returns how many profiles there are.
   */
  async find(key: ErasureKey): Promise<number> {
    const { workspace } = key;
    const mpids = await this.mpidsSql(key);
    // Before they are marked: an import that meets somebody marked goes back and must find the entries.
    await this.enter(
      key,
      withFormsSql(
        `SELECT DISTINCT type, value FROM profiles WHERE workspace = ${workspace} AND mpid IN (${mpids})`,
      ),
    );
    await this.warehouse.command(
      `INSERT INTO erasure_profiles SELECT ${workspace}, '${key.id}', mpid, ${NOW} FROM (SELECT DISTINCT mpid FROM (${mpids}))`,
      bulk,
    );
    return this.count(
      `SELECT uniqExact(mpid) AS n FROM profiles WHERE workspace = ${workspace} AND mpid IN (${leavingSql(key)})`,
    );
  }

  /** The next mpids after `after` (exclusive), ascending. */
  async mpids(key: ErasureKey, after: string | null, limit: number): Promise<string[]> {
    const rows = await this.warehouse.query<{ m: string }>(
      `SELECT DISTINCT toString(mpid) AS m, mpid FROM erasure_profiles
       WHERE ${ofErasure(key)} ${after === null ? '' : `AND mpid > toInt64('${BigInt(after)}')`}
       ORDER BY mpid LIMIT ${limit}`,
    );
    return rows.map(({ m }) => m);
  }

  /** Deletes who it was about; the suppressions stay. */
  async forget(key: ErasureKey): Promise<void> {
    for (const table of ['erasure_profiles', 'erasure_targets']) {
      await this.warehouse.command(`ALTER TABLE ${table} DELETE WHERE ${ofErasure(key)}`, {
        settings: { mutations_sync: 2 },
        lane: 'bulk',
      });
    }
  }

  private async count(sql: string): Promise<number> {
    const [row] = await this.warehouse.query<{ n: string }>(sql, bulk);
    return Number(row?.n ?? 0);
  }

  /** Writes entries of `SELECT type, hash, origin`. */
  private async enter({ id, workspace }: ErasureKey, select: string): Promise<void> {
    // A hash form has its raw type's tens.
    const origin = entrySql(workspace, 'intDiv(type, 10) * 10', 'origin');
    await this.warehouse.command(
      `INSERT INTO suppressions (workspace, type, entry, origin, erasure, at)
       SELECT ${workspace}, type, ${entrySql(workspace, 'type', 'hash')},
         if(origin = toUInt128(0), toUInt128(0), ${origin}), '${id}', ${NOW} FROM (${select})`,
      { ...bulk, params: await suppressionKey(this.db) },
    );
  }

  /** `SELECT mpid`, with repetitions. */
  private async mpidsSql(key: ErasureKey): Promise<string> {
    const { workspace } = key;
    const targets = `SELECT type, hash FROM erasure_targets WHERE ${ofErasure(key)} AND type != ${MPID}`;
    const parts = [
      `SELECT reinterpretAsInt64(toUInt64(hash)) AS mpid FROM erasure_targets WHERE ${ofErasure(key)} AND type = ${MPID}`,
      `SELECT mpid FROM identities WHERE workspace = ${workspace} AND (type, hash) IN (${targets})`,
    ];
    const hashes = await this.count(
      `SELECT count() AS n FROM erasure_targets
       WHERE ${ofErasure(key)} AND origin = toUInt128(0) AND type IN (${FORM_CODES.join(', ')})`,
    );
    if (hashes === 0) return parts.join(' UNION ALL ');
    // The workspace need not keep that form: everybody's e-mail or phone is hashed.
    for (const raw of ['email', 'phone'] as const) {
      const select = `SELECT type, value, mpid FROM identities WHERE workspace = ${workspace} AND type = ${codeOf(raw)}`;
      parts.push(`SELECT mpid FROM (${formsSql(raw, select, ['mpid'])}) WHERE (type, hash) IN (${targets})`);
    }
    return parts.join(' UNION ALL ');
  }
}

function ofErasure({ id, workspace }: ErasureKey): string {
  return `workspace = ${workspace} AND erasure = '${id}'`;
}

function targetsSql({ id, workspace }: ErasureKey, select: string): string {
  return `INSERT INTO erasure_targets
    SELECT ${workspace}, '${id}', type, hash, origin, ${NOW} FROM (${withFormsSql(select)})`;
}
