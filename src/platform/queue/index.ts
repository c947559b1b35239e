export { bullSettings, BullWorkQueue, type BullJobData } from './bull-work-queue.js';
export { InProcessWorkQueue } from './in-process-work-queue.js';
export { ABORT_MS, ShutdownError } from './work-queue.js';
export type { EnqueueOptions, Job, JobCounts, JobHandler, WorkQueue } from './work-queue.js';
