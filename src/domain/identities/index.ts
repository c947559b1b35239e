export * from './column-mapping.js';
export { labelOf } from './columns.js';
export * from './hash-forms.js';
export type { HeaderProblem } from './header-problems.js';
export * from './identity-codes.js';
export * from './identity-hash.js';
export { REJECT_REASONS, type Normalised, type RejectReason, type Rule } from './normalised.js';
export { isPhoneRegion } from './phone-regions.js';
export * from './rules.js';
