import type { BatchResult, ConnectorError, RejectedMember } from '../../src/kit/index.js';

/** A batch that is dealt with later. */
interface Job {
  looksInVain: number;
  answer: RejectedMember[] | ConnectorError;
  /** Does it; undefined once that is done. */
  apply: (() => void) | undefined;
}

/** What a partner does later. A batch that is given again is the job that it was before: its id is the key. */
export class PartnerJobs {
  readonly #jobs = new Map<string, Job>();

  /** The answer to whoever gives a batch that is a job already. */
  pendingFor(batchId: string): BatchResult | undefined {
    return this.#jobs.has(jobIdOf(batchId)) ? pending(batchId) : undefined;
  }

  /** Half of them are done before they are asked for. */
  take(batchId: string, { apply, ...job }: Job): BatchResult {
    const isEarly = Number.parseInt(batchId.slice(0, 2), 16) % 2 === 0;
    if (isEarly) apply?.();
    this.#jobs.set(jobIdOf(batchId), { ...job, apply: isEarly ? undefined : apply });
    return pending(batchId);
  }

  /** Ends jobs that nobody asked for, as partners do. */
  end(jobIds: Iterable<string>): void {
    for (const jobId of jobIds) {
      const job = this.#jobs.get(jobId);
      job?.apply?.();
      if (job) job.apply = undefined;
    }
  }

  look(jobId: string): BatchResult {
    const job = this.#jobs.get(jobId);
    if (!job) throw new Error(`The hub asks for ${jobId}, which was never made.`);
    if (job.looksInVain > 0) {
      job.looksInVain -= 1;
      return { status: 'pending', jobId, pollAfterMs: 1 };
    }
    job.apply?.();
    job.apply = undefined;
    if (Array.isArray(job.answer)) return { status: 'done', rejected: job.answer };
    throw job.answer;
  }
}

const jobIdOf = (batchId: string): string => `job-${batchId}`;

function pending(batchId: string): BatchResult {
  return { status: 'pending', jobId: jobIdOf(batchId), pollAfterMs: 1 };
}
