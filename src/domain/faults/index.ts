export * from './fault-policy.js';
export * from './codes.js';
