export { FaultCounts } from './fault-counts.js';
export { FaultLog, type Fault, type FaultDetail, type FaultSubject } from './fault-log.js';
