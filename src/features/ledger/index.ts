export { Ledger, type MemberPage, type TimelineEntry } from './ledger.js';
export { afterSql, betweenMpidsSql } from './ledger-range.js';
export { reachedSql, type KeptMembers } from './reached.js';
export type { MemberPages, RowsPage } from './member-rows.js';
export { changesCheckSql, changesSql, IN_ORDER, membersSql, MERGED, type MpidCondition } from './sql.js';
export {
  appendIdentityChanges,
  keepSequence,
  newestSequence,
  type IdentityRange,
  type LearnedOf,
} from './identity-changes.js';
export { type AudienceKey, type Selection } from './selections.js';
export { formsThatMeet, LEAVERS_AT_ONCE, type ValueRequest } from './shared-values.js';
export { codesOf } from './sql.js';
export type { SendCounts } from './send-counts.js';
export { identityLease, inAudienceTurn } from './turn.js';
