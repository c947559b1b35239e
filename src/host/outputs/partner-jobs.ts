/**
 * Jobs that partners were given batches as. They are remembered before they are asked for, so that whoever goes on
 * after an interruption asks for the job and does not give the batch a second time.
 */
export interface PartnerJobs {
  /** The partner's job for a batch, if it was given one. */
  find(batchId: string): Promise<string | undefined>;
  /** @param members how many wait for the job's answer */
  keep(batchId: string, jobId: string, members: number): Promise<void>;
  /** The job is over, however it ended. It is still found: its outcomes may not be written down yet. */
  answered(batchId: string): Promise<void>;
}
