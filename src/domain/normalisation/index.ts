export { encode, encodeSql, passOnSql } from './encode.js';
export * from './partner-rule.js';
export * from './partner-value.js';
export { profileRule } from './profiles.js';
export * from './profile-diff.js';
