import { setTimeout as sleep } from 'node:timers/promises';
import {
  fault,
  isConnectorError,
  type BatchResult,
  type ConnectorError,
  type FaultKind,
  type OutputConnector,
  type RejectedMember,
} from '../../kit/index.js';
import type { Logger } from '../../platform/log/index.js';
import { checkedRejects } from './batch-result.js';
import { asConnectorError } from './connector-failure.js';
import type { AnyOutputContext, PartnerLine } from './partner-line.js';

/** How long calls may take. Milliseconds. */
export interface CallPacing {
  /** One call of a connector, all its requests together. */
  callTimeoutMs: number;
  /** From a `pending` answer until the partner's job must be done. */
  pollLimitMs: number;
  /** Bounds of the pause between two polls, whatever the connector asks for. */
  minPollMs: number;
  maxPollMs: number;
}

export const DEFAULT_CALL_PACING: CallPacing = {
  callTimeoutMs: 120_000,
  pollLimitMs: 15 * 60_000,
  minPollMs: 100,
  maxPollMs: 60_000,
};

/**
 * Calls of one connector, within its rate budget and the time limits. Throws ConnectorErrors only, without
 * secrets; when `signal` aborts, its reason.
 */
export class PartnerCalls {
  constructor(
    readonly line: PartnerLine,
    private readonly signal: AbortSignal,
    private readonly log: Logger,
    private readonly pacing: CallPacing = DEFAULT_CALL_PACING,
    /** Hears how long each batch took, its polls included, and whether it was done or what it failed with. */
    private readonly observe: (result: 'done' | FaultKind, seconds: number) => void = () => undefined,
  ) {}

  async call<T>(work: (ctx: AnyOutputContext) => Promise<T>): Promise<T> {
    await this.wait(this.line.budget?.take(this.signal));
    this.signal.throwIfAborted();
    const ended = new AbortController();
    let timedOut = false;
    const stop = () => ended.abort(this.signal.reason);
    const timer = setTimeout(() => {
      timedOut = true;
      ended.abort();
    }, this.pacing.callTimeoutMs);
    this.signal.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([work(this.line.context(ended.signal)), rejectionOf(ended.signal)]);
    } catch (thrown) {
      this.signal.throwIfAborted();
      if (timedOut) throw this.timedOut();
      throw this.named(thrown);
    } finally {
      clearTimeout(timer);
      this.signal.removeEventListener('abort', stop);
    }
  }

  /** Calls `work`, waits for the partner's job where it has to, and gives the rejected members. */
  async callBatch(
    size: number,
    work: (ctx: AnyOutputContext) => Promise<BatchResult>,
  ): Promise<readonly RejectedMember[]> {
    const startedAtMs = performance.now();
    const seconds = () => (performance.now() - startedAtMs) / 1000;
    try {
      const rejected = await this.untilDone(size, work);
      this.observe('done', seconds());
      return rejected;
    } catch (error) {
      if (isConnectorError(error)) this.observe(error.kind, seconds());
      throw error;
    }
  }

  private async untilDone(
    size: number,
    work: (ctx: AnyOutputContext) => Promise<BatchResult>,
  ): Promise<readonly RejectedMember[]> {
    const { connector } = this.line;
    let result = await this.call(work);
    const giveUpAtMs = performance.now() + this.pacing.pollLimitMs;
    while (result.status === 'pending') {
      const { jobId, pollAfterMs } = result;
      if (performance.now() >= giveUpAtMs) throw this.stillPending();
      const pauseMs = Math.min(Math.max(pollAfterMs, this.pacing.minPollMs), this.pacing.maxPollMs);
      await this.wait(sleep(pauseMs, undefined, { signal: this.signal }));
      result = await this.call((ctx) => pollOnce(connector, ctx, jobId));
    }
    return checkedRejects(result, size, connector.id);
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
    const seconds = this.pacing.callTimeoutMs / 1000;
    return fault.retryable(
      'CALL_TIMEOUT',
      `The partner of plugin ${this.line.connector.id} did not finish a call within ${seconds} seconds.`,
    );
  }

  private stillPending() {
    const minutes = this.pacing.pollLimitMs / 60_000;
    return fault.retryable(
      'STILL_PENDING',
      `The partner has worked on a batch for over ${minutes} minutes. The same batch is sent again later.`,
    );
  }
}

function pollOnce(connector: OutputConnector, ctx: AnyOutputContext, jobId: string): Promise<BatchResult> {
  if (connector.audience.poll) return connector.audience.poll(ctx, jobId);
  throw new Error('The connector has no `poll`.');
}

/** Rejects when `signal` aborts, so that a connector that ignores its signal cannot hold the delivery. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
}

/** Name and frames without the message, which may quote what it failed on. */
function stackOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  const frames = (cause.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return [cause.name, ...frames].join('\n');
}
