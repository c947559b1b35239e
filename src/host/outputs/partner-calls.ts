import { setTimeout as sleep } from 'node:timers/promises';
import {
  fault,
  isConnectorError,
  type Batch,
  type BatchResult,
  type ConnectorError,
  type FaultKind,
  type OutputConnector,
} from '../../kit/index.js';
import type { Logger } from '../../platform/log/index.js';
import { checkedRejects, type BatchRejects } from './batch-result.js';
import { asConnectorError } from './connector-failure.js';
import { CallEnds } from './call-ends.js';
import { CallTime } from './call-time.js';
import { StillWaiting, type PartnerJobs } from './partner-jobs.js';
import type { AnyOutputContext, PartnerLine } from './partner-line.js';
import { PARTNER_PAUSED } from './rate-budget.js';
import { NotItsTurnError, type Turn } from './turn.js';

/** How long calls may take. Milliseconds. */
export interface CallPacing {
  /** One call of a connector, all its requests together. */
  callTimeoutMs: number;
  /** So long a worker waits for the partner's job; then the delivery makes room and comes again. */
  pollLimitMs: number;
  /** A job that is older must be done. */
  jobLimitMs: number;
  /** Least pause between two polls, whatever the connector asks for. */
  minPollMs: number;
  /** A longer pause is not waited for by a worker. */
  maxPollMs: number;
}

export const DEFAULT_CALL_PACING: CallPacing = {
  callTimeoutMs: 120_000,
  pollLimitMs: 2 * 60_000,
  // Google takes up to a day for one.
  jobLimitMs: 48 * 3_600_000,
  minPollMs: 100,
  maxPollMs: 60_000,
};

/** Failures of a single request that a partner has not taken, for sure. */
const NOT_TAKEN = { kinds: ['auth', 'rate_limited'], codes: ['CONNECTION_REFUSED', 'DNS_FAILED'] };

/** What calls may have besides their line. */
export interface CallOptions {
  pacing?: CallPacing | undefined;
  /** Hears how long each batch took, its polls included, and whether it was done or what it failed with. */
  observe?: (result: 'done' | FaultKind, seconds: number) => void;
  /** Absent: the connector knows no jobs. */
  jobs?: PartnerJobs | undefined;
  /**
   * Asked before each request: resolves, or is undefined, where it may be made; where it rejects, the calls' signal is
   * aborted. Absent: it always may.
   */
  confirm?: () => Promise<void> | undefined;
}

/**
 * Calls of one connector, within its rate budget and the time limits. Throws ConnectorErrors only, without
 * secrets; when `signal` aborts, its reason.
 */
export class PartnerCalls {
  readonly #ends: CallEnds;
  readonly #pacing: CallPacing;
  #reached = false;

  constructor(
    readonly line: PartnerLine,
    private readonly signal: AbortSignal,
    private readonly log: Logger,
    private readonly options: CallOptions = {},
  ) {
    this.#pacing = options.pacing ?? DEFAULT_CALL_PACING;
    this.#ends = new CallEnds(signal);
  }

  /** Whether anything of a batch may have reached the partner. */
  get reached(): boolean {
    return this.#reached;
  }

  /** The requests of `work` are within the budget, each of them; time spent waiting for it is not counted as the call's. */
  async call<T>(
    work: (ctx: AnyOutputContext) => Promise<T>,
    sent: { requests: number } = { requests: 0 },
    turn?: Turn,
  ): Promise<T> {
    await this.wait(this.line.budget?.take(this.signal));
    await this.options.confirm?.();
    this.signal.throwIfAborted();
    const time = new CallTime(this.#pacing.callTimeoutMs, this.#ends);
    try {
      return await time.limit(work(this.paced(time, sent, turn)));
    } catch (thrown) {
      this.signal.throwIfAborted();
      // Whatever the connector made of it.
      if (turn?.isOver && sent.requests === 0) throw new NotItsTurnError();
      if (time.isOver) throw this.timedOut();
      throw await this.heeded(this.named(thrown));
    } finally {
      time.end();
    }
  }

  /**
   * Calls `work`, waits for the partner's job where it has to, and gives the rejected members. A batch that was given
   * to the partner as a job before is not given to it again: the job is asked for. Where it has a `turn`, its first
   * request waits for that.
   *
   * @throws StillWaiting where the job takes longer than a worker waits
   * @throws NotItsTurnError where its turn never comes
   */
  async callBatch(
    batch: Pick<Batch, 'id' | 'size'>,
    work: (ctx: AnyOutputContext) => Promise<BatchResult>,
    turn?: Turn,
  ): Promise<BatchRejects> {
    const startedAtMs = performance.now();
    const seconds = () => (performance.now() - Math.max(startedAtMs, turn?.cameAtMs ?? 0)) / 1000;
    try {
      const rejected = await this.untilDone(batch, work, turn);
      this.options.observe?.('done', seconds());
      return rejected;
    } catch (error) {
      if (isConnectorError(error)) this.options.observe?.(error.kind, seconds());
      throw error;
    }
  }

  private async untilDone(
    { id, size }: Pick<Batch, 'id' | 'size'>,
    work: (ctx: AnyOutputContext) => Promise<BatchResult>,
    turn?: Turn,
  ): Promise<BatchRejects> {
    const { pollLimitMs, minPollMs, maxPollMs } = this.#pacing;
    const kept = await this.options.jobs?.find(id);
    let known = kept?.jobId;
    let result: BatchResult =
      known === undefined ? await this.give(work, turn) : { status: 'pending', jobId: known, pollAfterMs: 0 };
    const leaveAtMs = performance.now() + pollLimitMs;
    while (result.status === 'pending') {
      const { jobId, pollAfterMs } = result;
      if (jobId !== known) await this.options.jobs?.keep(id, jobId, size);
      known = jobId;
      if (performance.now() >= leaveAtMs || pollAfterMs > maxPollMs)
        throw this.notDone(kept?.ageMs, pollAfterMs);
      await this.wait(sleep(Math.max(pollAfterMs, minPollMs), undefined, { signal: this.signal }));
      result = await this.poll(id, jobId);
    }
    if (result.status === 'again') {
      await this.options.jobs?.forget(id);
      throw await this.heeded(this.named(result.because));
    }
    if (known !== undefined) await this.options.jobs?.answered(id);
    return checkedRejects(result, size, this.line.connector.id);
  }

  private async give(
    work: (ctx: AnyOutputContext) => Promise<BatchResult>,
    turn?: Turn,
  ): Promise<BatchResult> {
    const sent = { requests: 0 };
    let taken = true;
    try {
      return await this.inTurn(work, sent, turn);
    } catch (error) {
      const isKept = error instanceof NotItsTurnError || (isConnectorError(error) && isNotTaken(error));
      // Of several requests the earlier ones were taken.
      taken = sent.requests > 1 || !isKept;
      throw error;
    } finally {
      this.#reached ||= taken;
    }
  }

  /** What was ready long before its turn came is made again: nothing of it was sent. */
  private async inTurn<T>(
    work: (ctx: AnyOutputContext) => Promise<T>,
    sent: { requests: number },
    turn?: Turn,
  ): Promise<T> {
    try {
      return await this.call(work, sent, turn);
    } catch (error) {
      if (!(error instanceof NotItsTurnError) || !turn?.cameLate) throw error;
      return this.call(work, sent);
    }
  }

  /** A job that is refused is over as well. */
  private async poll(batchId: string, jobId: string): Promise<BatchResult> {
    const { connector } = this.line;
    try {
      return await this.call((ctx) => pollOnce(connector, ctx, jobId));
    } catch (error) {
      if (isConnectorError(error) && error.kind === 'permanent') await this.options.jobs?.answered(batchId);
      throw error;
    }
  }

  /** The connector's context, whose first request was waited for already. */
  private paced(time: CallTime, sent: { requests: number }, turn?: Turn): AnyOutputContext {
    const context = this.line.context(time.signal);
    const { budget } = this.line;
    return {
      ...context,
      http: {
        request: async (request) => {
          if (turn) await time.standsStill(() => turn.wait());
          sent.requests += 1;
          if (budget && sent.requests > 1) await time.standsStill(() => budget.take(time.signal));
          await this.options.confirm?.();
          return context.http.request(request);
        },
      },
    };
  }

  /** A partner that wants a pause gets it from everybody. */
  private async heeded(error: ConnectorError): Promise<ConnectorError> {
    if (error.kind === 'rate_limited' && error.code !== PARTNER_PAUSED) {
      await this.line.budget?.pause(error.retryAfterMs);
    }
    return error;
  }

  private named(thrown: unknown): ConnectorError {
    const { connector, connectionId, secrets } = this.line;
    const error = asConnectorError(thrown, connector.id, secrets);
    if (error.cause !== undefined) {
      this.log.error({ plugin: connector.id, connectionId, stack: stackOf(error.cause) }, 'plugin failed');
    }
    return error;
  }

  /** A wait that ends with the signal's own reason when it aborts. */
  private async wait(pause: Promise<void> | undefined): Promise<void> {
    try {
      await pause;
    } catch (error) {
      this.signal.throwIfAborted();
      throw error;
    }
  }

  private timedOut() {
    const seconds = this.#pacing.callTimeoutMs / 1000;
    return fault.retryable(
      'CALL_TIMEOUT',
      `The partner of plugin ${this.line.connector.id} did not finish a call within ${seconds} seconds.`,
    );
  }

  /** Only what is written down is found again. */
  private notDone(ageMs = 0, waitMs: number) {
    const { jobLimitMs } = this.#pacing;
    if (this.options.jobs && ageMs < jobLimitMs) return new StillWaiting(waitMs);
    const hours = Math.round(jobLimitMs / 3_600_000);
    return fault.retryable(
      'STILL_PENDING',
      `The partner has worked on a batch for over ${hours} hours. It is asked for the result again later.`,
    );
  }
}

function isNotTaken({ kind, code }: ConnectorError): boolean {
  return NOT_TAKEN.kinds.includes(kind) || NOT_TAKEN.codes.includes(code);
}

function pollOnce(connector: OutputConnector, ctx: AnyOutputContext, jobId: string): Promise<BatchResult> {
  if (connector.audience.poll) return connector.audience.poll(ctx, jobId);
  throw new Error('The connector has no `poll`.');
}

/** Name and frames without the message, which may quote what it failed on. */
function stackOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  const frames = (cause.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return [cause.name, ...frames].join('\n');
}
