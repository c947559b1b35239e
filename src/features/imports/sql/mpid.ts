import type { SqlSettings, Warehouse } from '../../../platform/warehouse/index.js';

/**
 * mpids of new profiles. A profile's mpid is the upper 64 bits of the 128-bit hash of its strongest identity,
 * so that two workers that create it agree. 64 bits collide about once in a billion people: those few get
 * another one (see {@link withoutCollisions}), because two people are never confused.
 */
export interface MpidRule {
  /** Bits of the hash that are used; 64 but for tests that want collisions. */
  bits: number;
  /** Hash (decimal) → mpid (decimal) where the derived one is somebody else's. */
  exceptions: ReadonlyMap<string, string>;
}

/** SQL (Int64) of the mpid that a UInt128 expression of the strongest identity's hash stands for. */
export function mpidSql(hashSql: string, rule: MpidRule): string {
  const derived = derivedMpidSql(hashSql, rule.bits);
  if (rule.exceptions.size === 0) return derived;
  const hashes = [...rule.exceptions.keys()].map((hash) => `toUInt128('${hash}')`);
  const mpids = [...rule.exceptions.values()].map((mpid) => `toInt64('${mpid}')`);
  const place = `indexOf([${hashes.join(', ')}], ${hashSql})`;
  return `if(${place} = 0, ${derived}, [${mpids.join(', ')}][${place}])`;
}

/** SQL (Int64) of the mpid that a hash stands for where nobody else has it. */
export function derivedMpidSql(hashSql: string, bits: number): string {
  return `reinterpretAsInt64(toUInt64(bitShiftRight(${hashSql}, ${128 - bits})))`;
}

/** The next mpid to try for a hash whose first ones were taken. */
export function saltedMpidSql(hashSql: string, salt: number, bits: number): string {
  return derivedMpidSql(`reinterpretAsUInt128(sipHash128(${hashSql}, toUInt32(${salt})))`, bits);
}

/** New profiles: `SELECT hash, value, type` of the strongest identity of each (the same one may come twice). */
export interface NewProfiles {
  select: string;
  settings?: SqlSettings;
  /** No two of them are given the same mpid by their hashes; whoever asks has looked. */
  apart?: boolean;
  /** Nobody is in the workspace yet. */
  alone?: boolean;
}

/** Tries before giving up: with 64 bits, one is already rarer than a disk that lies. */
const MAX_SALT = 1000;

/**
 * Finds the new profiles whose mpid another new or known profile has, and gives each a free one. A known
 * profile that holds the very identity is the same person (a run before this one was cut off), no collision.
 */
export async function withoutCollisions(
  warehouse: Warehouse,
  workspace: number,
  fresh: NewProfiles,
  bits = 64,
): Promise<MpidRule> {
  let rule: MpidRule = { bits, exceptions: new Map() };
  for (let salt = 1; salt <= MAX_SALT; salt += 1) {
    if (!(await mayCollide(warehouse, workspace, fresh, rule))) return rule;
    const colliding = await warehouse.query<{ hash: string; mpid: string }>(
      `SELECT toString(hash) AS hash, toString(${saltedMpidSql('hash', salt, bits)}) AS mpid
       FROM (${collisionsSql(workspace, fresh.select, rule)}) ORDER BY hash`,
      { lane: 'bulk', settings: { ...fresh.settings, join_algorithm: 'grace_hash,full_sorting_merge' } },
    );
    if (colliding.length === 0) return rule;
    const exceptions = new Map(rule.exceptions);
    for (const { hash, mpid } of colliding) exceptions.set(hash, mpid);
    rule = { bits, exceptions };
  }
  throw new Error(`No free mpid was found in ${MAX_SALT} tries.`);
}

/** The cheap question first: is any mpid among the new ones taken, by another new one or a known profile? */
async function mayCollide(
  warehouse: Warehouse,
  workspace: number,
  fresh: NewProfiles,
  rule: MpidRule,
): Promise<boolean> {
  const mpid = mpidSql('hash', rule);
  const count = async (sql: string) => {
    const [row] = await warehouse.query<{ n: string }>(`SELECT count() AS n FROM (${sql})`, {
      lane: 'bulk',
      settings: fresh.settings ?? {},
    });
    return Number(row?.n ?? 0);
  };
  const untouched = rule.exceptions.size === 0;
  if (!(untouched && fresh.apart)) {
    const among = await count(
      untouched
        ? neighboursSql(fresh.select, rule.bits)
        : `SELECT mpid FROM (SELECT ${mpid} AS mpid, toUInt64(hash) AS low FROM (${fresh.select}))
           GROUP BY mpid HAVING min(low) != max(low) LIMIT 1`,
    );
    if (among > 0) return true;
  }
  if (fresh.alone) return false;
  if ((await count(`SELECT 1 FROM profiles WHERE workspace = ${workspace} LIMIT 1`)) === 0) return false;
  const known = await count(
    `SELECT 1 FROM (SELECT mpid FROM profiles WHERE workspace = ${workspace}) AS p
     ANY LEFT JOIN (SELECT ${mpid} AS mpid, toUInt8(1) AS wanted FROM (${fresh.select})) AS n ON p.mpid = n.mpid
     WHERE n.wanted = 1 LIMIT 1`,
  );
  return known > 0;
}

/**
 * A row for each hash whose mpid the next lower hash has too. mpids are the upper bits of the hashes, so in the
 * order of the hashes, in which they are stored, only neighbours can share one; grouping 16 M of them by mpid
 * would be the peak of an import's memory.
 */
function neighboursSql(select: string, bits: number): string {
  return `SELECT 1 FROM (
      SELECT hash, lagInFrame(hash, 1, hash) OVER (ORDER BY hash ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS lower
      FROM (${select})
    ) WHERE hash != lower AND ${derivedMpidSql('hash', bits)} = ${derivedMpidSql('lower', bits)} LIMIT 1`;
}

/** `SELECT hash` of new profiles that must take another mpid. Of several new ones, the lowest hash keeps it. */
function collisionsSql(workspace: number, select: string, rule: MpidRule): string {
  const fresh = `SELECT hash, value, type, ${mpidSql('hash', rule)} AS mpid FROM (${select})`;
  const shared = `SELECT mpid FROM (${fresh}) GROUP BY mpid HAVING min(hash) != max(hash)`;
  const among = `SELECT hash FROM (${fresh}) WHERE mpid IN (${shared})
    AND (mpid, hash) NOT IN (SELECT mpid, min(hash) FROM (${fresh}) WHERE mpid IN (${shared}) GROUP BY mpid)`;
  const known = `SELECT n.hash AS hash
    FROM (SELECT mpid, type, value FROM profiles WHERE workspace = ${workspace}) AS p
    INNER JOIN (${fresh}) AS n ON n.mpid = p.mpid
    GROUP BY n.hash HAVING max(p.type = n.type AND p.value = n.value) = 0`;
  return `SELECT DISTINCT hash FROM (${among} UNION ALL ${known})`;
}
