export * from './fault-policy.js';
