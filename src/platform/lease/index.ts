export { FairTurns } from './fair-turns.js';
export { LeaseLostError } from './lease-lost.js';
export { Leases } from './leases.js';
export type { Held } from './renewal.js';
export { WorkLease, type WorkKind } from './work-lease.js';
