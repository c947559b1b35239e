export { AS_TEXT, encode, type Writing } from './encode.js';
export { isPackable, PACKED } from './pack.js';
export * from './partner-rule.js';
export * from './partner-value.js';
export { profileRule } from './profiles.js';
export * from './profile-diff.js';
