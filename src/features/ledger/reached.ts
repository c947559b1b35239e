import type { MpidCondition } from './sql.js';

/** Members of an audience at any of some versions who stay at a partner, because another connection has them there. */
export interface KeptMembers {
  audienceId: number;
  versions: readonly number[];
  /** Which of them: those of a variant. */
  condition: MpidCondition;
}

/** `SELECT mpid` of who was a member at any of the versions and is none of those kept, each once. */
export function unkeptSql(
  audienceId: number,
  { versions, kept }: { versions: readonly number[]; kept: readonly KeptMembers[] },
  condition: MpidCondition,
): string {
  const reached = reachedSql(audienceId, versions, condition);
  if (kept.length === 0) return reached;
  const staying = kept.map((one) =>
    reachedSql(one.audienceId, one.versions, `${one.condition} AND ${condition}`),
  );
  // A join, because its sides are merged in their order; a set of all who stay might not fit into memory.
  return `SELECT r.mpid AS mpid FROM (${reached}) AS r
    LEFT JOIN (SELECT mpid, toUInt8(1) AS stays FROM (${staying.join(' UNION ALL ')})) AS k ON r.mpid = k.mpid
    WHERE k.stays = 0`;
}

/**
 * `SELECT mpid` of those among `leavers` (the same) who are kept, each once. `isFew`: they are looked up one by one in
 * the audiences that keep them, instead of reading all of these.
 */
export function keptSql(
  leavers: string,
  kept: readonly KeptMembers[],
  condition: MpidCondition,
  { isFew }: { isFew: boolean },
): string {
  const among = isFew ? `${condition} AND mpid IN (${leavers})` : condition;
  const staying = kept
    .map((one) => reachedSql(one.audienceId, one.versions, `${one.condition} AND ${among}`))
    .join(' UNION ALL ');
  if (isFew) return `SELECT DISTINCT mpid FROM (${staying})`;
  return `SELECT r.mpid AS mpid FROM (${leavers}) AS r
    LEFT ANY JOIN (SELECT mpid, toUInt8(1) AS stays FROM (${staying})) AS k ON r.mpid = k.mpid
    WHERE k.stays = 1`;
}

/** `SELECT mpid` of who was a member at any of the versions, each once. */
export function reachedSql(
  audienceId: number,
  versions: readonly number[],
  condition: MpidCondition,
): string {
  const newest = Math.max(0, ...versions);
  const states = versions.map((version) =>
    version === newest ? 'argMax(sign, version) = 1' : `argMaxIf(sign, version, version <= ${version}) = 1`,
  );
  return `SELECT mpid FROM ledger WHERE audience_id = ${audienceId} AND version <= ${newest} AND ${condition}
    GROUP BY mpid HAVING ${[...new Set(states)].join(' OR ') || '0'}`;
}
