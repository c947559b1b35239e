export * from './compose.js';
export * from './kinds.js';
