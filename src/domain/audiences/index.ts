export * from './metrics.js';
export * from './variants.js';
