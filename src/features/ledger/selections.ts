import { learnedSql, type IdentityRange, type LearnedOf } from './identity-changes.js';
import { keptSql, unkeptSql, type KeptMembers } from './reached.js';
import { betweenSql, changesSql, membersSql, type MpidCondition } from './sql.js';

/** An audience in the warehouse's terms. */
export interface AudienceKey {
  audienceId: number;
  /** `workspaces.number`. */
  workspace: number;
}

/**
 * What to read of an audience: all members at a version, those who came or went between two, those who were members at
 * both and learned identities of some types or have other values of some attributes, those who were members at both and
 * at a third one before them, those who were members at any of some versions and are not kept, or those who went and are
 * kept.
 */
export type Selection =
  | { what: 'members'; version: number }
  | { what: 'reached'; versions: readonly number[]; kept: readonly KeptMembers[] }
  | { what: 'add' | 'remove'; from: number; to: number }
  | { what: 'shared'; from: number; to: number; kept: readonly KeptMembers[] }
  | {
      what: 'learned';
      from: number;
      to: number;
      identities: IdentityRange;
      of: LearnedOf;
    }
  | { what: 'again'; since: number; from: number; to: number };

/** `SELECT mpid` of a selection, each once. */
export function selectSql(key: AudienceKey, selection: Selection, condition: MpidCondition = '1'): string {
  if (selection.what === 'members') return membersSql(key.audienceId, selection.version, condition);
  if (selection.what === 'again') return stayingSql(key.audienceId, selection, condition);
  if (selection.what === 'reached') return unkeptSql(key.audienceId, selection, condition);
  if (selection.what === 'shared') {
    const leavers = changesSql(key.audienceId, selection, 'remove', condition);
    return keptSql(leavers, selection.kept, condition, { isFew: false });
  }
  if (selection.what !== 'learned') return changesSql(key.audienceId, selection, selection.what, condition);
  const { from, to } = selection;
  return `SELECT mpid FROM ledger
    WHERE ${betweenSql(key.audienceId, { from: 0, to })} AND ${condition}
      AND mpid IN (SELECT mpid FROM ${learnersSql(key, selection)} AND ${condition})
    GROUP BY mpid HAVING argMax(sign, version) = 1 AND argMaxIf(sign, version, version <= ${from}) = 1`;
}

function stayingSql(
  audienceId: number,
  { since, from, to }: Extract<Selection, { what: 'again' }>,
  condition: MpidCondition,
): string {
  const earlier = [...new Set([since, from])].filter((version) => version < to);
  const wasMember = (version: number) => ` AND argMaxIf(sign, version, version <= ${version}) = 1`;
  return `${membersSql(audienceId, to, condition)}${earlier.map(wasMember).join('')}`;
}

/**
 * `table WHERE condition` of the rows by which a selection is found. Of the ledger: whoever is or became a member has
 * a row that says so, and whoever left one that says that. Without the sign, looking for leavers would walk through
 * all who came.
 */
export function rowsSql(key: AudienceKey, selection: Selection): string {
  if (selection.what === 'learned') return learnersSql(key, selection);
  return signedRowsSql(key, selection, isOfLeavers(selection) ? -1 : 1);
}

/** The same of the rows between the same versions that say the opposite; undefined where no row does. */
export function oppositeRowsSql(key: AudienceKey, selection: Selection): string | undefined {
  if (selection.what === 'learned') return undefined;
  // Of members at several versions, whoever left after the first of them is none.
  if (selection.what === 'again')
    return `ledger WHERE ${betweenSql(key.audienceId, { from: 0, to: selection.to })} AND sign = -1`;
  // Somebody may be kept, or have been a member at one of the versions only.
  if (selection.what === 'reached' && (selection.kept.length > 0 || selection.versions.length > 1))
    return undefined;
  if (selection.what === 'shared') return undefined;
  return signedRowsSql(key, selection, selection.what === 'remove' ? 1 : -1);
}

function isOfLeavers({ what }: Selection): boolean {
  return what === 'remove' || what === 'shared';
}

function signedRowsSql(
  { audienceId }: AudienceKey,
  selection: Exclude<Selection, { what: 'learned' }>,
  sign: 1 | -1,
): string {
  const [from, to] = spanOf(selection);
  return `ledger WHERE ${betweenSql(audienceId, { from, to })} AND sign = ${sign}`;
}

/** Versions after the first, up to the second, whose rows say who is meant. */
function spanOf(selection: Exclude<Selection, { what: 'learned' }>): [number, number] {
  if (selection.what === 'members') return [0, selection.version];
  if (selection.what === 'reached') return [0, Math.max(0, ...selection.versions)];
  return selection.what === 'again' ? [0, selection.since] : [selection.from, selection.to];
}

function learnersSql(
  { workspace }: AudienceKey,
  { identities, of }: Extract<Selection, { what: 'learned' }>,
): string {
  return learnedSql(workspace, identities, of);
}
