export { encode, encodeSql, passOnSql, type HexEncoding } from './encode.js';
export { isPackable, packHashesSql, packTextSql } from './pack.js';
export * from './partner-rule.js';
export * from './partner-value.js';
export { profileRule } from './profiles.js';
export * from './profile-diff.js';
