export { isPublicAddress } from './address-rules.js';
export { EgressClient, type EgressClientOptions } from './egress-client.js';
export { egressSocket } from './egress-socket.js';
export { EgressGuard, type EgressRules, type Resolve } from './egress-guard.js';
export type { Sending } from './sending.js';
export { transportFault } from './transport-faults.js';
