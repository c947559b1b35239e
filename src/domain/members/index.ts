export { MemberCursor, type MemberPosition, type MemberRun } from './member-cursor.js';
export { addMembers, rowsOfRuns } from './member-json.js';
export { bytesOf, memberObjects } from './member-objects.js';
export { MPID_BYTES, mpidAt, viewOf, type MemberRows } from './member-rows.js';
export { MemberValues } from './member-values.js';
