export * from './guard.js';
export * from './proportion.js';
export * from './waterfall.js';
