import type { Job as BullJob, Queue } from 'bull';
import type { Logger } from '../log/index.js';
import { RunningWork } from './running-work.js';
import type { EnqueueOptions, Job, JobCounts, JobHandler, WorkQueue } from './work-queue.js';

/** How often an enqueue looks again where the job changes its state under it. */
const MAX_LOOKS = 5;
const DAY_SECONDS = 86_400;

/**
 * Settings to make the Bull queues with. A worker that does not renew its locks for a lease (milliseconds,
 * the same as of the rows) counts as dead, and its job goes to another one; three times at most, then the
 * sweep decides.
 */
export function bullSettings(leaseMs: number) {
  return { lockDuration: leaseMs, stalledInterval: Math.ceil(leaseMs / 2), maxStalledCount: 3 };
}

/** Where a new job goes: behind the others after a delay in milliseconds, or (`lifo`) before them. */
interface Place {
  delay: number;
  lifo: boolean;
}

/** The data of a Bull job: which row. */
export interface BullJobData {
  id: string;
}

/**
 * The cluster's queue: Bull on Redis, one Bull queue per kind (named so), because Bull adds the
 * concurrency of all handlers of a queue up and lets one kind take every place.
 *
 * The id of a Bull job is the row's, so that waiting hints coalesce and an id runs once in the whole
 * cluster. Bull drops a hint whose job is active; here it leaves a mark `again-<id>` in Redis, which the
 * job's worker turns into a new job when it has ended.
 */
export class BullWorkQueue implements WorkQueue {
  readonly #queues: ReadonlyMap<string, Queue<BullJobData>>;
  readonly #work: RunningWork;
  readonly #log: Logger;
  readonly #endings = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  /** @param queues one for each kind, named like it; closed with this object. */
  constructor(queues: readonly Queue<BullJobData>[], log: Logger) {
    this.#log = log;
    this.#work = new RunningWork(log);
    this.#queues = new Map(queues.map((queue) => [queue.name, queue]));
    for (const queue of queues) this.#listen(queue);
  }

  async enqueue(job: Job, options: EnqueueOptions = {}): Promise<void> {
    if (this.#closing) return;
    const place = options.first
      ? { delay: 0, lifo: true }
      : { delay: Math.max(0, options.delayMs ?? 0), lifo: false };
    await this.#add(this.#queue(job.kind), job.id, place);
  }

  process(kind: string, concurrency: number, handler: JobHandler): void {
    const queue = this.#queue(kind);
    const started = queue.process(concurrency, async ({ data }: BullJob<BullJobData>) => {
      const outcome = await this.#work.run({ kind, id: data.id }, handler);
      if (outcome === 'aborted') await this.#markAgain(queue, data.id);
    });
    started.catch((err: unknown) => {
      if (!this.#closing) this.#log.error({ kind, err }, 'queue stopped working');
    });
  }

  async counts(): Promise<Record<string, JobCounts>> {
    const entries = [...this.#queues].map(async ([kind, queue]) => {
      const { waiting, delayed, active } = await queue.getJobCounts();
      return [kind, { waiting, delayed, active }] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  close(options: { graceMs: number }): Promise<void> {
    this.#closing ??= this.#close(options.graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const queues = [...this.#queues.values()];
    await Promise.all(queues.map((queue) => queue.pause(true, true)));
    await this.#work.finish(graceMs);
    await Promise.all(queues.map((queue) => settledWithin(queue.whenCurrentJobsFinished(), 1000)));
    await Promise.all(this.#endings);
    await Promise.all(queues.map((queue) => queue.close(true)));
  }

  #queue(kind: string): Queue<BullJobData> {
    const queue = this.#queues.get(kind);
    if (queue) return queue;
    throw new Error(
      `Queue: no Bull queue is named ${kind}; there are ${[...this.#queues.keys()].join(', ')}.`,
    );
  }

  #listen(queue: Queue<BullJobData>): void {
    const ended = (job: BullJob<BullJobData>) => {
      const ending = this.#runAgain(queue, job.data.id).finally(() => this.#endings.delete(ending));
      this.#endings.add(ending);
    };
    queue.on('completed', ended);
    queue.on('failed', ended);
    queue.on('stalled', (job) => {
      this.#log.warn({ kind: queue.name, id: job.data.id }, 'worker went silent, its work is queued again');
    });
    queue.on('error', (err: Error) => {
      this.#log.warn({ kind: queue.name, reason: err.message }, 'Redis cannot be used at the moment');
    });
  }

  async #add(queue: Queue<BullJobData>, id: string, place: Place): Promise<void> {
    const jobId = `job-${id}`;
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const existing = await queue.getJob(jobId);
      if (!existing) {
        await queue.add({ id }, { jobId, ...place, removeOnComplete: true, removeOnFail: true });
        return;
      }
      if (await this.#coalesced(queue, existing, place)) return;
    }
  }

  /** True where `existing` will run late enough, and early enough, to stand for the new hint. */
  async #coalesced(
    queue: Queue<BullJobData>,
    existing: BullJob<BullJobData>,
    place: Place,
  ): Promise<boolean> {
    switch (await existing.getState()) {
      case 'waiting':
      case 'paused':
        return place.lifo ? takenOut(existing) : true;
      case 'delayed':
        return place.lifo ? takenOut(existing) : hasten(existing, place.delay);
      case 'active': {
        await this.#markAgain(queue, existing.data.id);
        const stillThere = await queue.getJob(existing.id);
        return stillThere !== null || !(await this.#takeMark(queue, existing.data.id));
      }
      case 'completed':
      case 'failed':
      case 'stuck':
        // It has just ended and is about to go; or a worker of another version kept it.
        await existing.remove().catch(() => undefined);
        return false;
    }
  }

  async #runAgain(queue: Queue<BullJobData>, id: string): Promise<void> {
    try {
      if (await this.#takeMark(queue, id)) await this.#add(queue, id, { delay: 0, lifo: false });
    } catch (err) {
      this.#log.warn({ kind: queue.name, id, err }, 'hint lost, the sweep will find the row');
    }
  }

  /** The mark outlives its worker, at most by a day; a mark too many costs one look at a row. */
  async #markAgain(queue: Queue<BullJobData>, id: string): Promise<void> {
    await queue.client.set(markKey(queue, id), '1', 'EX', DAY_SECONDS);
  }

  async #takeMark(queue: Queue<BullJobData>, id: string): Promise<boolean> {
    return (await queue.client.del(markKey(queue, id))) > 0;
  }
}

/** Always false: the job has to be added anew, or, where a worker took it meanwhile, to be looked at again. */
async function takenOut(job: BullJob<BullJobData>): Promise<false> {
  await job.remove().catch(() => undefined);
  return false;
}

/** Brings a delayed job forward where the new hint wants it earlier; false where it has to be added anew. */
async function hasten(job: BullJob<BullJobData>, delayMs: number): Promise<boolean> {
  const dueMs = job.timestamp + (job.opts.delay ?? 0);
  if (Date.now() + delayMs >= dueMs) return true;
  try {
    if (delayMs > 0) await job.remove();
    else await job.promote();
    return delayMs === 0;
  } catch {
    // Its time had come in between: look again.
    return false;
  }
}

function markKey(queue: Queue<BullJobData>, id: string): string {
  return (queue as Queue<BullJobData> & { toKey(name: string): string }).toKey(`again-${id}`);
}

async function settledWithin(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
