export { MemberCursor, type MemberPosition } from './member-cursor.js';
export { addMembers, type MemberRun } from './member-json.js';
export { bytesOf, memberObjects } from './member-objects.js';
export { MPID_BYTES, mpidAt, viewOf, type MemberRows } from './member-rows.js';
export { MemberValues } from './member-values.js';
export { visitMembers } from './visit-members.js';
