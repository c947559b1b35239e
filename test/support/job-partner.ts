import { z } from 'zod';
import { defineOutput, fault, type Batch, type BatchResult } from '../../src/kit/index.js';

/** A partner that takes every batch as a job, and says what became of it when it is asked and `ready`. */
export class JobPartner {
  /** Batches in the order in which they were given, with their ids. */
  readonly given: { id: string; operation: 'add' | 'remove'; mpids: string[] }[] = [];
  readonly members = new Set<string>();
  /** Members whom a job's answer names as refused. */
  readonly refusedRows = new Set<string>();
  /** Members because of whom a whole job fails. */
  readonly poison = new Set<string>();
  /** Jobs that were asked for, in order. */
  readonly polled: string[] = [];
  ready = true;
  /** Jobs that are not done, whatever `ready` says. */
  readonly slow = new Set<string>();
  /** How long the partner wants to be left alone with a job. */
  pollAfterMs = 1;
  /** Batches that it takes at once. */
  atOnce = 1;
  /** Members of each job that are refused without being named. */
  refusedUnnamed = 0;
  /** Jobs that come to nothing before one is done. */
  failing = 0;

  readonly connector = defineOutput({
    id: 'job-partner',
    name: 'Job partner',
    description: 'For specs: takes batches as jobs.',
    version: '1.0.0',
    settings: z.object({}),
    credentials: z.object({}),
    connectionSettings: z.object({}),
    identities: [{ type: 'email', encoding: 'raw' }],
    limits: { batchSize: 100 },
    limitsFor: () => ({ batchSize: 100, jobs: this.atOnce }),
    check: () => Promise.resolve(),
    audience: {
      add: (_, __, batch) => this.#take('add', batch),
      remove: (_, __, batch) => this.#take('remove', batch),
      poll: (_, jobId) => this.#answer(jobId),
    },
  });

  /** Forgets everything. */
  reset(): void {
    for (const list of [this.given, this.polled]) list.length = 0;
    for (const people of [this.members, this.refusedRows, this.poison]) people.clear();
    this.slow.clear();
    Object.assign(this, { ready: true, pollAfterMs: 1, atOnce: 1, refusedUnnamed: 0, failing: 0 });
  }

  #take(operation: 'add' | 'remove', { id, members }: Batch): Promise<BatchResult> {
    const job = this.given.push({ id, operation, mpids: members.map(({ mpid }) => mpid) });
    return Promise.resolve({ status: 'pending', jobId: `job-${job}`, pollAfterMs: this.pollAfterMs });
  }

  #answer(jobId: string): Promise<BatchResult> {
    this.polled.push(jobId);
    if (!this.ready || this.slow.has(jobId)) {
      return Promise.resolve({ status: 'pending', jobId, pollAfterMs: this.pollAfterMs });
    }
    if (this.failing > 0) {
      this.failing -= 1;
      return Promise.resolve({ status: 'again', because: fault.config('NO_CONSENT', 'Consent is missing.') });
    }
    const job = this.given[Number(jobId.slice('job-'.length)) - 1];
    if (!job || job.mpids.some((mpid) => this.poison.has(mpid))) {
      return Promise.reject(fault.permanent('JOB_FAILED', 'The job failed because of a row.'));
    }
    const refused = (mpid: string) => this.refusedRows.has(mpid);
    for (const mpid of job.mpids.filter((one) => !refused(one))) {
      if (job.operation === 'add') this.members.add(mpid);
      else this.members.delete(mpid);
    }
    const rejected = job.mpids.flatMap((mpid, index) =>
      refused(mpid) ? [{ index, code: 'UNKNOWN_PERSON', message: 'Nobody here' }] : [],
    );
    const unnamed = { count: this.refusedUnnamed, code: 'DENIED', message: 'Some did not want it.' };
    return Promise.resolve({ status: 'done', rejected, unnamed: unnamed.count > 0 ? [unnamed] : [] });
  }
}
