export { batchIdOf, type BatchIdentity } from './batch-id.js';
export { MemberChunker, type Chunk } from './chunker.js';
export { asConnectorError, redact } from './connector-failure.js';
export { asBatch, MemberList } from './member-list.js';
export { DEFAULT_CALL_PACING, PartnerCalls, type CallPacing } from './partner-calls.js';
export type { PartnerJobs } from './partner-jobs.js';
export type { AnyOutputContext, PartnerLine } from './partner-line.js';
export { RateBudget, RateBudgets } from './rate-budget.js';
export { sendBatch, type BatchOutcome, type Shipment } from './send-batch.js';
