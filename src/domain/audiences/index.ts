export * from './ab-test.js';
export * from './limits.js';
export * from './metrics.js';
export * from './variants.js';
