export { CLEAN_UP } from './clean-up.js';
export * from './ab-test.js';
export * from './limits.js';
export * from './metrics.js';
export * from './variants.js';
