export * from './limits.js';
export * from './metrics.js';
export * from './variants.js';
