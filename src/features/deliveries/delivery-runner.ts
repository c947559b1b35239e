import { FULL_AUDIENCE } from '../../domain/audiences/index.js';
import { partnerAudienceName } from '../../domain/names/index.js';
import { asConnectorError, PartnerCalls, type CallPacing } from '../../host/outputs/index.js';
import { ConnectorError, type PartnerAudience } from '../../kit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import type { Database, DeliveryCursor, Operation } from '../../platform/database/index.js';
import { LeaseLostError, type WorkLease } from '../../platform/lease/index.js';
import type { Logger } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/metrics/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { WarehouseError } from '../../platform/warehouse/index.js';
import type { Ledger } from '../ledger/index.js';
import { ChunkReader } from './chunk-reader.js';
import { DeliveryCourse } from './delivery-course.js';
import type { DeliveryJournal } from './delivery-journal.js';
import type { DeliveryPlanner } from './delivery-planner.js';
import { FRESH_CURSOR, readOrder, type DeliveryOrder } from './delivery-rows.js';
import type { PartnerLines } from './partner-lines.js';
import { PartnerSide, stopOnRefusal } from './partner-side.js';

/** How long a call under way may go on after the process was told to stop. */
const LAST_CALL_MS = 2500;

/** What a runner works with. */
export interface RunnerParts {
  db: Database;
  ledger: Ledger;
  lease: WorkLease;
  journal: DeliveryJournal;
  planner: DeliveryPlanner;
  lines: PartnerLines;
  queue: WorkQueue;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** Default: {@link DEFAULT_CALL_PACING} of the host. */
  pacing?: CallPacing;
}

/** Does the work of one delivery, from wherever it is to its end, a pause, a retry or a fault. */
export class DeliveryRunner {
  constructor(private readonly parts: RunnerParts) {}

  /** Handler of the queue's kind `delivery`. May be called at any time, any number of times. */
  async run(id: string, signal: AbortSignal): Promise<void> {
    const { db, lease, clock } = this.parts;
    const waiting = await readOrder(db, id);
    if (!waiting || (waiting.delivery.notBefore ?? clock.now()) > clock.now()) return;
    if (!(await lease.claim(id))) return;
    const order = await readOrder(db, id);
    if (!order) return;
    try {
      await lease.during(id, signal, (held) => this.work(order, held));
    } catch (error) {
      if (error instanceof LeaseLostError) return;
      // The metadata database did not take the outcome. Let go, if it can be told; the sweep takes it up.
      await lease.giveBack(id).catch(() => undefined);
      throw error;
    }
  }

  private async work(order: DeliveryOrder, signal: AbortSignal): Promise<void> {
    const { journal, lease, planner } = this.parts;
    const { id } = order.delivery;
    if (order.audience.deletedAt !== null) return journal.cancel(id);
    if (order.connection.status === 'inactive') return this.park(order);
    const attempt = { probing: order.connection.status === 'faulted' };
    try {
      const end = await this.deliver(order, signal, attempt);
      if (end === 'paused') await this.park(order);
      if (end === 'aborted') await lease.giveBack(id);
      if (end !== 'sent') return;
      await journal.complete(order, attempt.probing);
      this.parts.metrics.deliveries.inc({ state: 'delivered', plugin: order.output.plugin });
    } catch (thrown) {
      const error = this.failureOf(thrown, order);
      const after = await journal.fail(order, error, attempt.probing);
      this.tell(order, error, after.state);
      if (after.state === 'queued') {
        await this.parts.queue.enqueue({ kind: 'delivery', id }, { delayMs: after.delayMs });
      }
      return;
    }
    await planner.wakeConnection(order.connection.id);
  }

  private async park(order: DeliveryOrder): Promise<void> {
    if (await this.parts.journal.park(order)) return;
    await this.parts.queue.enqueue({ kind: 'delivery', id: order.delivery.id });
  }

  private async deliver(order: DeliveryOrder, signal: AbortSignal, attempt: { probing: boolean }) {
    const { journal, ledger, lines, log, metrics, pacing } = this.parts;
    const last = lastCalls(signal);
    try {
      const line = await lines.open(order);
      const { plugin } = order.output;
      const calls = new PartnerCalls(line, last.signal, log, pacing, (result, seconds) =>
        metrics.batchSeconds.observe({ plugin, result }, seconds),
      );
      const { id, fromVersion, toVersion } = order.delivery;
      const reader = new ChunkReader(ledger, {
        key: { audienceId: order.audience.id, workspace: order.workspace },
        target: FULL_AUDIENCE,
        fromVersion,
        toVersion,
        forms: line.connector.identities,
        limits: line.limits,
      });
      const cursor = await this.begin(order, reader, () =>
        Boolean(line.connector.audience.replace?.wanted(line.context(last.signal))),
      );
      const side = new PartnerSide(calls, await this.partnerAudience(order, calls), {
        fromVersion,
        toVersion,
      });
      const options = { concurrency: line.limits.concurrency ?? 1, probing: attempt.probing };
      const course = new DeliveryCourse(order, { reader, side, journal }, options, signal);
      try {
        const end = await course.run(cursor);
        if (end === 'sent') await this.finish(id, cursor.operation, side);
        return end;
      } finally {
        attempt.probing = course.probing;
      }
    } catch (error) {
      if (signal.aborted && !(error instanceof LeaseLostError)) return 'aborted';
      throw error;
    } finally {
      last.end();
    }
  }

  /** Counts what there is to send, once a delivery, and says where to go on. */
  private async begin(
    order: DeliveryOrder,
    reader: ChunkReader,
    whole: () => boolean,
  ): Promise<DeliveryCursor> {
    const { delivery } = order;
    if (delivery.planned !== null) return delivery.cursor;
    const replacing = whole();
    const operations: Operation[] = replacing ? ['replace'] : ['add', 'remove'];
    const cursor: DeliveryCursor = replacing
      ? { operation: 'replace', afterMpid: null, parts: 0 }
      : FRESH_CURSOR;
    await this.parts.journal.plan(delivery.id, await reader.count(operations), cursor);
    return cursor;
  }

  /** Makes the audience at the partner the first time. A repeated `create` carries the same connection id. */
  private async partnerAudience(order: DeliveryOrder, calls: PartnerCalls): Promise<PartnerAudience> {
    const { audience, connection } = order;
    const name = partnerAudienceName(audience);
    if (connection.externalId !== null) return { externalId: connection.externalId, name };
    const partner = calls.line.connector.audience;
    if (!partner.create) return { externalId: name, name };
    const { externalId } = await stopOnRefusal(
      calls.call(async (ctx) => (await partner.create?.(ctx, { name })) ?? { externalId: name }),
    );
    await this.parts.journal.keepExternalId(connection.id, externalId);
    return { externalId, name };
  }

  private async finish(id: string, operation: Operation, side: PartnerSide): Promise<void> {
    if (operation !== 'replace') return;
    const order = await readOrder(this.parts.db, id);
    if (order) await side.finish(order.delivery.cursor.parts ?? 0, order.delivery.accepted);
  }

  /** What is no failure of the partner, and yet has to be named. */
  private failureOf(thrown: unknown, { output }: DeliveryOrder): ConnectorError {
    if (thrown instanceof ConnectorError) return thrown;
    if (thrown instanceof LeaseLostError) throw thrown;
    if (thrown instanceof WarehouseError) {
      this.parts.log.error({ err: thrown }, 'the warehouse did not hand over members');
      return new ConnectorError('retryable', 'WAREHOUSE_FAILED', WAREHOUSE_FAILED);
    }
    this.parts.log.error({ err: thrown }, 'delivery failed');
    return asConnectorError(thrown, output.plugin, []);
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

const WAREHOUSE_FAILED =
  "The hub's warehouse did not hand over the members. The log has its message; the delivery is tried again.";

/** A signal for calls under way: it follows `signal` a little later, but at once where the lease was lost. */
function lastCalls(signal: AbortSignal): { signal: AbortSignal; end(): void } {
  const calls = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    if (signal.reason instanceof LeaseLostError) calls.abort(signal.reason);
    else timer = setTimeout(() => calls.abort(signal.reason), LAST_CALL_MS);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return {
    signal: calls.signal,
    end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}
