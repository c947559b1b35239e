export { Ledger, type AudienceKey, type MemberPage, type Selection, type TimelineEntry } from './ledger.js';
export { IN_ORDER, membersSql, MERGED, type MpidCondition } from './sql.js';
