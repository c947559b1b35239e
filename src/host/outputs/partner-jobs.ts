/**
 * Jobs that partners were given batches as. They are remembered before they are asked for, so that whoever goes on
 * after an interruption asks for the job and does not give the batch a second time.
 */
export interface PartnerJobs {
  /** The partner's job for a batch, if it was given one. */
  find(batchId: string): Promise<KeptJob | undefined>;
  /** @param members how many wait for the job's answer */
  keep(batchId: string, jobId: string, members: number): Promise<void>;
  /** The job is over, however it ended. It is still found: its outcomes may not be written down yet. */
  answered(batchId: string): Promise<void>;
  /** The job came to nothing: the batch is to be given anew. */
  forget(batchId: string): Promise<void>;
}

/** A job as it was written down. */
export interface KeptJob {
  jobId: string;
  /** Milliseconds since it was. */
  ageMs: number;
}

/**
 * The partner is at work on a batch, and will be for longer than a worker waits. No failure: the batch is found again
 * by its job.
 */
export class StillWaiting extends Error {
  override readonly name = 'StillWaiting';

  constructor(
    /** Until the job is to be asked for again. */
    readonly waitMs: number,
  ) {
    super('The partner works on a batch.');
  }
}
