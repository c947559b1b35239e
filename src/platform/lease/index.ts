export { FairTurns } from './fair-turns.js';
export { LeaseLostError, Leases } from './leases.js';
export { WorkLease, type WorkKind } from './work-lease.js';
