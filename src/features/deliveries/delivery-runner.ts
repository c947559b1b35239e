import { CLEAN_UP } from '../../domain/audiences/index.js';
import { afterSending, PartnerCalls, type CallPacing, type PartnerLine } from '../../host/outputs/index.js';
import type { ConnectorError } from '../../kit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import type { Database, DeliveryCursor, Operation } from '../../platform/database/index.js';
import { LeaseLostError, type Held, type WorkLease } from '../../platform/lease/index.js';
import type { Logger } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/metrics/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { FaultLog } from '../faults/index.js';
import type { Ledger } from '../ledger/index.js';
import { catchUp, touch } from './catch-up.js';
import type { ChunkReader } from './chunk-reader.js';
import { courseOptions, type Attempt, type CourseEnd } from './course-options.js';
import { DeliveryCourse } from './delivery-course.js';
import { failureOf } from './delivery-failure.js';
import { DeliveryJobs } from './delivery-jobs.js';
import type { DeliveryJournal } from './delivery-journal.js';
import type { DeliveryPlanner } from './delivery-planner.js';
import { readingOf } from './delivery-reading.js';
import { isDue, readOrder, type DeliveryOrder } from './delivery-rows.js';
import { leavingOf, withoutKept } from './kept-leavers.js';
import { lastCalls } from './last-calls.js';
import type { LearnedIdentities } from './learned-identities.js';
import { oneAhead } from './one-ahead.js';
import { waitForOpenJobs } from './open-jobs.js';
import type { PartnerLines } from './partner-lines.js';
import { partnerAudience } from './partner-list.js';
import { PartnerSide } from './partner-side.js';
import type { RemovalJournal } from './removal/removal-journal.js';
import type { RemovalPlanner } from './removal/removal-planner.js';
import type { RemovalWork } from './removal/removal-work.js';
import type { SharedLists } from './removal/shared-lists.js';
import { noteFirstSending, wasSentAgain } from './sends-again.js';

/** How long a delivery waits at least that must not run beside another one to the same list. Milliseconds. */
const SHARED_LIST_MS = 2000;

/** What a runner works with. */
export interface RunnerParts {
  db: Database;
  ledger: Ledger;
  lease: WorkLease;
  journal: DeliveryJournal;
  planner: DeliveryPlanner;
  learning: LearnedIdentities;
  removals: { planner: RemovalPlanner; work: RemovalWork; journal: RemovalJournal };
  lists: SharedLists;
  faults: FaultLog;
  lines: PartnerLines;
  queue: WorkQueue;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** Default: {@link DEFAULT_CALL_PACING} of the host. */
  pacing?: CallPacing;
  /** Least time between two transactions of one delivery. Default: that of `StepSaves`. */
  saveEveryMs?: number;
}

/** Does the work of one delivery, from wherever it is to its end, a pause, a retry or a fault. */
export class DeliveryRunner {
  constructor(private readonly parts: RunnerParts) {}

  /** Handler of the queue's kind `delivery`. May be called at any time, any number of times. */
  async run(id: string, signal: AbortSignal): Promise<void> {
    const { db, lease, clock } = this.parts;
    if (!(await isDue(db, id, clock.now()))) return;
    if (!(await lease.claim(id))) return;
    const order = await readOrder(db, id);
    if (!order) return;
    try {
      const newest = await catchUp(db, lease, order);
      await lease.during(id, signal, (held) => this.work(newest, held));
      // It may have been deleted meanwhile, and what it was sending has stopped.
      await this.parts.removals.planner.wakeConnection(order.connection.id);
    } catch (error) {
      if (error instanceof LeaseLostError) return;
      // The metadata database did not take the outcome. Let go, if it can be told; the sweep takes it up.
      await lease.giveBack(id).catch(() => undefined);
      throw error;
    }
  }

  private async work(order: DeliveryOrder, held: Held): Promise<void> {
    const { journal, lease } = this.parts;
    const { id, kind } = order.delivery;
    const { status } = order.connection;
    if (status === 'removed' || (kind === 'removal' && status !== 'removing')) return journal.cancel(id);
    // The removal takes its place.
    if (kind === 'changes' && status === 'removing') return lease.giveBack(id);
    if (kind === 'changes' && order.audience.deletedAt !== null) return journal.cancel(id);
    if (kind === 'changes' && isOverdue(order)) return this.makeAnew(order);
    if (status === 'inactive') return this.park(order);
    const attempt: Attempt = { probing: await this.isProbe(order), reached: false };
    try {
      const end = await this.deliver(order, held, attempt);
      if (end === 'paused') await this.park(order);
      if (end === 'shared') await this.postpone(id);
      if (end === 'aborted') await lease.giveBack(id);
      if (typeof end === 'object') {
        const delayMs = await journal.wait(order, end.waitMs, attempt.probing);
        await this.parts.queue.enqueue({ kind: 'delivery', id }, { delayMs });
      }
      if (end !== 'sent') return;
      if (kind === 'changes') await journal.complete(order, attempt.probing);
      else await this.cleanUpAfter(order);
      this.parts.metrics.deliveries.inc({ state: 'delivered', plugin: order.output.plugin });
    } catch (thrown) {
      const error = failureOf(thrown, order, this.parts.log);
      const after = await journal.fail(order, error, attempt);
      this.tell(order, error, after.state);
      if (after.state === 'queued') {
        await this.parts.queue.enqueue({ kind: 'delivery', id }, { delayMs: after.delayMs });
      }
      return;
    }
    await this.wakeNext(order.connection.id);
  }

  private isProbe({ connection, delivery }: DeliveryOrder): Promise<boolean> | boolean {
    if (delivery.kind === 'changes') return connection.status === 'faulted';
    return this.parts.faults.isStopped(this.parts.db, connection.id);
  }

  /** Two that wait for each other are not to come back at the same time. */
  private async postpone(id: string): Promise<void> {
    const delayMs = Math.round(SHARED_LIST_MS * (1 + Math.random()));
    await this.parts.removals.journal.postpone(id, delayMs);
    await this.parts.queue.enqueue({ kind: 'delivery', id }, { delayMs });
  }

  /** The members of a deleted audience were kept for this. */
  private async cleanUpAfter({ audience }: DeliveryOrder): Promise<void> {
    if (audience.deletedAt === null) return;
    await this.parts.queue.enqueue({ kind: CLEAN_UP, id: String(audience.id) });
  }

  private async makeAnew({ delivery, connection }: DeliveryOrder): Promise<void> {
    await this.parts.journal.cancel(delivery.id);
    await this.wakeNext(connection.id);
  }

  private async wakeNext(connectionId: string): Promise<void> {
    await this.parts.planner.wakeConnection(connectionId);
    await this.parts.learning.wakeConnection(connectionId);
  }

  private async park(order: DeliveryOrder): Promise<void> {
    if (await this.parts.journal.park(order)) return;
    await this.parts.queue.enqueue({ kind: 'delivery', id: order.delivery.id });
  }

  private async deliver(order: DeliveryOrder, held: Held, attempt: Attempt) {
    const { signal } = held;
    const { journal, ledger, lines, lists, removals, saveEveryMs } = this.parts;
    const last = lastCalls(signal);
    try {
      const line = await lines.open(order);
      const calls = this.callsOf(order, line, { ...held, signal: last.signal });
      if (order.delivery.kind === 'removal')
        return await removals.work.run(order, { calls, signal, attempt, saveEveryMs });
      const { audience: partner } = line.connector;
      const isWhole = Boolean(partner.replace?.wanted(line.context(last.signal)));
      if (partner.replace?.inOneGo) await this.beginAnew(order);
      const { reader, cursor } = readingOf(order, line, { ledger, isWhole });
      // Whether anything may be sent is asked meanwhile.
      reader.begin(cursor);
      const sharers = await lists.besides(order, { removes: partner.remove !== undefined && !isWhole });
      if (sharers === undefined) return 'shared';
      const earlier = await waitForOpenJobs(this.parts.db, order, calls, 'earlier');
      if (earlier) return earlier;
      const { id, fromVersion, toVersion, fromIdentities, toIdentities, sendsAgain } = order.delivery;
      const planned = this.plan(order, reader, cursor);
      try {
        const leavers = { what: 'remove', from: fromVersion, to: toVersion } as const;
        const kept = sharers.map(({ members }) => members);
        const leaving = leavingOf(order, line, { leavers, version: toVersion, kept });
        const changes = withoutKept(reader.steps(cursor), ledger, leaving);
        const written = () => afterSending(line);
        const steps = oneAhead(changes, ({ chunk }) => chunk.members.prepare(), written);
        const audience = await partnerAudience(journal, order, calls);
        await noteFirstSending(this.parts.db, order);
        await touch(this.parts.db, this.parts.lease, order, this.parts.clock.now());
        const side = new PartnerSide(calls, audience, {
          fromVersion,
          toVersion,
          identities: { after: fromIdentities, upTo: toIdentities },
          relinks: order.connection.relinks,
          ...(sendsAgain === null ? {} : { again: id }),
        });
        const options = courseOptions(line.limits, attempt);
        const parts = { steps, side, journal, planned, written, saveEveryMs };
        const course = new DeliveryCourse(order, parts, options, signal);
        const end = await course.run();
        await planned;
        return end === 'sent' ? await this.finish(order, cursor.operation, side) : end;
      } finally {
        attempt.reached = calls.reached || cursor.operation === 'replace';
        // Later it would write over the cursor of whoever goes on.
        await Promise.allSettled([planned]);
      }
    } catch (error) {
      if (signal.aborted && !(error instanceof LeaseLostError)) return 'aborted';
      throw error;
    } finally {
      last.end();
    }
  }

  private callsOf(
    { delivery, output }: DeliveryOrder,
    line: PartnerLine,
    { signal, confirm }: Held,
  ): PartnerCalls {
    const { db, log, metrics, pacing } = this.parts;
    const observe = (result: string, seconds: number) =>
      metrics.batchSeconds.observe({ plugin: output.plugin, result }, seconds);
    const jobs = line.connector.audience.poll ? new DeliveryJobs(db, delivery.id) : undefined;
    return new PartnerCalls(line, signal, log, { pacing, observe, jobs, confirm });
  }

  /** A whole state that was interrupted begins with its first part again, where the partner takes it in one go only. */
  private async beginAnew(order: DeliveryOrder): Promise<void> {
    const { delivery } = order;
    if (delivery.cursor.operation !== 'replace' || delivery.cursor.afterMpid === null) return;
    order.delivery = { ...delivery, ...(await this.parts.journal.beginAnew(delivery.id)) };
  }

  /** Counts what there is to send, once a delivery and while the first of it goes out. */
  private plan({ delivery }: DeliveryOrder, reader: ChunkReader, cursor: DeliveryCursor): Promise<void> {
    if (delivery.planned !== null) return Promise.resolve();
    const operations: Operation[] = cursor.operation === 'replace' ? ['replace'] : ['add', 'remove'];
    const planned = reader
      .count(operations)
      .then((members) => this.parts.journal.plan(delivery.id, members, cursor));
    // Its failure is heard of where the first outcome is to be written down.
    planned.catch(() => undefined);
    return planned;
  }

  /** Everything was sent. */
  private async finish(order: DeliveryOrder, operation: Operation, side: PartnerSide): Promise<CourseEnd> {
    const left = await waitForOpenJobs(this.parts.db, order, side.calls, 'all');
    if (left) return left;
    if (operation === 'replace') {
      const now = await readOrder(this.parts.db, order.delivery.id);
      if (now) await side.finish(now.delivery.cursor.parts ?? 0, now.delivery.accepted);
    }
    await side.delivered();
    return 'sent';
  }

  private tell(order: DeliveryOrder, { kind, code }: ConnectorError, state: string): void {
    const { delivery, connection, output } = order;
    const { id: deliveryId } = delivery;
    const where = { deliveryId, connectionId: connection.id, kind, code };
    if (state === 'faulted') {
      this.parts.metrics.deliveries.inc({ state, plugin: output.plugin });
      this.parts.metrics.faultsRaised.inc({ kind, plugin: output.plugin });
      this.parts.log.warn(where, 'delivery stopped by a fault');
    } else this.parts.log.info(where, 'delivery will be tried again');
  }
}

/** Planned from what the connection had before another delivery went by. */
function isOverdue(order: DeliveryOrder): boolean {
  const { delivery, connection } = order;
  return (
    wasSentAgain(order) ||
    delivery.fromVersion !== connection.deliveredVersion ||
    delivery.fromIdentities !== connection.deliveredIdentities
  );
}
