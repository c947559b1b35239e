export * from './audiences.js';
export * from './connections.js';
export * from './exports.js';
export * from './inputs.js';
export * from './tenancy.js';
