import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds of a call to a partner, from a local sink's to a timeout's. */
const CALL_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Seconds of an import, a delivery or an export, from a sample file's to a large night's. */
const RUN_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400];

/** Reads the values of a gauge when it is scraped: by label value. */
export type Readings = () => Promise<Readonly<Record<string, number>>>;

/**
 * What the hub tells Prometheus. Labels hold words of a fixed list (states, outcomes, plugin ids, kinds),
 * never ids of rows or anything of a person: their number is bounded and nothing private gets out.
 */
export class Metrics {
  readonly registry = new Registry();

  readonly imports = this.#counter('hub_imports_total', 'Imports that ended, by state', ['state', 'plugin']);
  readonly importRows = this.#counter('hub_import_rows_total', 'Rows of imports, by outcome', ['outcome']);
  readonly importSeconds = this.#histogram(
    'hub_import_seconds',
    'Duration of imports',
    ['state'],
    RUN_SECONDS,
  );
  readonly membershipChanges = this.#counter('hub_membership_changes_total', 'Published changes', ['change']);

  readonly deliveries = this.#counter('hub_deliveries_total', 'Deliveries that ended, by state', [
    'state',
    'plugin',
  ]);
  readonly deliveryMembers = this.#counter(
    'hub_delivery_members_total',
    'Members of deliveries, by outcome',
    ['outcome', 'plugin'],
  );
  readonly batchSeconds = this.#histogram(
    'hub_delivery_batch_seconds',
    'Duration of one batch call to a partner, by result (done, pending or a fault kind)',
    ['plugin', 'result'],
    CALL_SECONDS,
  );
  readonly faultsRaised = this.#counter('hub_faults_raised_total', 'Faults raised, by kind', [
    'kind',
    'plugin',
  ]);

  readonly exports = this.#counter('hub_exports_total', 'Exports that ended, by state', ['state']);
  readonly mails = this.#counter('hub_mails_total', 'Mails, by outcome', ['outcome']);

  /** Also collects Node's own figures: memory, garbage collection and the delay of the event loop. */
  constructor() {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 10 });
  }

  /** Open faults, by kind; read when scraped. */
  watchOpenFaults(read: Readings): void {
    this.#watch('hub_faults_open', 'Faults that nobody has resolved yet, by kind', 'kind', read);
  }

  /** Hints in the queue, by kind; read when scraped. */
  watchQueueDepth(read: Readings): void {
    this.#watch('hub_queue_waiting', 'Hints that wait in the queue, by kind', 'kind', read);
  }

  /** Mails in the outbox, by state; read when scraped. */
  watchOutbox(read: Readings): void {
    this.#watch('hub_outbox_mails', 'Mails in the outbox, by state', 'state', read);
  }

  /** The page for Prometheus. */
  async text(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.registry.contentType, body: await this.registry.metrics() };
  }

  #counter<const L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #histogram<const L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: number[],
  ) {
    return new Histogram<L>({ name, help, labelNames: [...labelNames], buckets, registers: [this.registry] });
  }

  /** A reading that fails leaves its figures out; the others are still told. */
  #watch(name: string, help: string, label: string, read: Readings): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: async () => {
        gauge.reset();
        const readings = await read().catch((): Readonly<Record<string, number>> => ({}));
        for (const [word, value] of Object.entries(readings)) gauge.set({ [label]: word }, value);
      },
    });
  }
}
