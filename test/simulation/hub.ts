import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { eq } from 'drizzle-orm';
import { PlatformModule } from '../../src/app/platform.module.js';
import type { Platform } from '../../src/app/platform.js';
import { AbTestsModule } from '../../src/features/ab-tests/index.js';
import { AudiencesModule } from '../../src/features/audiences/index.js';
import { ConnectionsModule } from '../../src/features/connections/index.js';
import { DeliveryRunner, type RunnerParts } from '../../src/features/deliveries/delivery-runner.js';
import { DeliveriesModule, DeliverySweep } from '../../src/features/deliveries/index.js';
import { ErasuresWorker } from '../../src/features/erasures/erasures.worker.js';
import { ErasuresModule } from '../../src/features/erasures/index.js';
import { ExportsModule, ExportSweep } from '../../src/features/exports/index.js';
import { ExportRunner } from '../../src/features/exports/runner/export-runner.js';
import { FaultsModule } from '../../src/features/faults/index.js';
import { ImportsWorker } from '../../src/features/imports/imports.worker.js';
import { ImportsModule } from '../../src/features/imports/index.js';
import { PlansModule } from '../../src/features/plans/index.js';
import { Heartbeats } from '../../src/features/upkeep/heartbeats/heartbeats.js';
import { UpkeepModule } from '../../src/features/upkeep/index.js';
import { DEFAULT_CALL_PACING, RateBudgets } from '../../src/host/outputs/index.js';
import { PluginRegistry } from '../../src/host/registry/index.js';
import { MemoryBudgetStore } from '../../src/platform/budget/index.js';
import type { Clock } from '../../src/platform/clock/index.js';
import { deliveries, type Database, type Transaction } from '../../src/platform/database/index.js';
import { WORK_QUEUE } from '../../src/platform/nest/index.js';
import { HintQueue } from './hint-queue.js';
import { Life } from './life.js';
import type { Call, Caller, SimPartner } from './partner.js';
import { LEASE_MS, type Storage } from './storage.js';

const FEATURES = [
  AbTestsModule,
  AudiencesModule,
  ConnectionsModule,
  DeliveriesModule,
  ErasuresModule,
  ExportsModule,
  FaultsModule,
  ImportsModule,
  PlansModule,
  UpkeepModule,
];

/** Kinds of work that the simulation does. Mails are written into the outbox and stay there. */
const WORKED_ON = ['delivery', 'import', 'erasure', 'export'];

/** An audience is a few parts of an export. */
const PART_MEMBERS = 12;

/** Partners' jobs are asked for at once. */
const PACING = { ...DEFAULT_CALL_PACING, minPollMs: 1, maxPollMs: 1, pollLimitMs: 25 };

@Module({})
class SimulatedHub {
  /** The hub's own modules, of which those of the platform that keep time or work are replaced by `own`. */
  static of(platform: Platform, registry: PluginRegistry, own: Exclude<Provider, Type>[]): DynamicModule {
    const whole = PlatformModule.of(platform, registry);
    const replaced = new Set<unknown>(own.map(({ provide }) => provide));
    const others = (whole.providers ?? []).filter(
      (provider) => typeof provider === 'function' || !replaced.has(provider.provide),
    );
    return { module: SimulatedHub, imports: [{ ...whole, providers: [...others, ...own] }, ...FEATURES] };
  }
}

/** What the simulation gives a process besides its storage. */
export interface HubParts {
  /** Processes that got stuck amidst a delivery. */
  stalled: readonly Hub[];
  storage: Storage;
  clock: Clock;
  partner: SimPartner;
  /** See {@link RunnerParts.saveEveryMs}. */
  saveEveryMs: number;
}

/** One process of the hub: all its services, on storage that outlives it. */
export class Hub {
  /** The delivery that is worked on. */
  working: string | undefined;
  /** False once they ran out, because it did not renew them. */
  hasLease = true;
  #stallsAt: ((call: Call) => boolean) | undefined;
  #wake: (() => void) | undefined;
  #stalled: (() => void) | undefined;
  /** What it waits for. */
  #waits: Call | undefined;
  #pending: Promise<void> | undefined;

  private constructor(
    readonly life: Life,
    readonly queue: HintQueue,
    readonly owner: string,
    private readonly db: Database,
    private readonly context: Awaited<ReturnType<typeof NestFactory.createApplicationContext>>,
    private readonly slept: { ms: number },
  ) {}

  /**
   * @param alone see {@link Storage.platformOf}
   * @param hints those that the process before had left
   */
  static async start(
    { storage, clock, partner, stalled, saveEveryMs }: HubParts,
    alone: boolean,
    hints: HintQueue['hints'] = [],
  ): Promise<Hub> {
    const life = new Life();
    const queue = new HintQueue(clock, hints);
    const slept = { ms: 0 };
    const platform = storage.platformOf(life, clock, alone, () => slept.ms);
    if (alone) await platform.leases.releaseAll();
    const caller: Caller = {
      life,
      working: () => hub?.working,
      intrudes: () => stalled.some((one) => one !== hub && one.hasLease && one.working === hub?.working),
      // Whoever has lost it meanwhile is still answered what it had asked for.
      callsOfOthers: () =>
        hub?.hasLease === false
          ? []
          : stalled.flatMap((one) => (one !== hub && one.hasLease && one.#waits) || []),
      mayGoOn: async () => hub?.hasLease !== false || holdsLease(storage.db, hub),
      stall: (call) => hub?.stall(call) ?? Promise.resolve(),
    };
    let hub: Hub | undefined;
    const budgets = new RateBudgets(new MemoryBudgetStore(() => clock.now().getTime()), 0);
    const module = SimulatedHub.of(platform, new PluginRegistry(partner.connectorsFor(caller)), [
      { provide: WORK_QUEUE, useValue: queue },
      { provide: RateBudgets, useValue: budgets },
    ]);
    const context = await NestFactory.createApplicationContext(module, {
      logger: false,
      abortOnError: false,
    });
    // Whoever puts a hub together does not set it, so it is set where the runner keeps it.
    const parts: unknown = Reflect.get(context.get(DeliveryRunner, { strict: false }), 'parts');
    Object.assign(parts as RunnerParts, { pacing: PACING, saveEveryMs });
    context.get(ExportRunner, { strict: false }).partMembers = PART_MEMBERS;
    hub = new Hub(life, queue, platform.leases.owner, platform.database.db, context, slept);
    return hub;
  }

  /** The connection whose call is answered late. */
  get stalledFor(): string | undefined {
    return this.#waits?.connectionId;
  }

  get<T>(service: Type<T>): T {
    return this.context.get(service, { strict: false });
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.db.transaction(work);
  }

  /** Works on the next hint that is due: `idle` where there is none, `stalled` where it got stuck at the partner. */
  async work(): Promise<'idle' | 'done' | 'stalled'> {
    const job = this.queue.take();
    if (!job) return 'idle';
    if (!WORKED_ON.includes(job.kind)) return 'done';
    if (job.kind === 'delivery') this.working = job.id;
    const stalled = new Promise<'stalled'>((resolve) => {
      this.#stalled = () => resolve('stalled');
    });
    const done = job.handler(job.id, new AbortController().signal);
    this.#pending = done;
    const end = await Promise.race([done.then(() => 'done' as const), stalled]);
    if (end === 'done') this.working = undefined;
    return end;
  }

  /** What a scheduler does every minute. */
  async sweep(): Promise<void> {
    await this.get(ImportsWorker).sweep();
    await this.get(DeliverySweep).run();
    await this.get(ErasuresWorker).sweep();
    await this.get(ExportSweep).run();
    await this.get(Heartbeats).wakeAll();
  }

  /** It sleeps until its leases have run out. */
  outsleepLeases(): void {
    this.hasLease = false;
    this.slept.ms += LEASE_MS;
  }

  /** The next call of the partner that is such is answered late: after {@link wake}. */
  stallAt(isSuch: (call: Call) => boolean): void {
    this.#stallsAt = isSuch;
  }

  /** The partner answers at last; the process ends what it was doing. */
  async wake(): Promise<void> {
    this.#wake?.();
    await this.#pending;
  }

  /** Lets go of it, killed or not. Nothing of it is under way afterwards. */
  async end(): Promise<void> {
    this.life.end();
    this.#wake?.();
    await this.#pending?.catch(() => undefined);
    await this.life.settled();
    await this.context.close().catch(() => undefined);
  }

  private async stall(call: Call): Promise<void> {
    // Only work on hints can be left to itself.
    if (this.working === undefined || !this.#stallsAt?.(call)) return;
    this.#stallsAt = undefined;
    this.#waits = call;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#stalled?.();
    });
  }
}

/** Whether nobody has taken its delivery over since its lease ran out. */
async function holdsLease(db: Database, { working = '', owner }: Hub): Promise<boolean> {
  const [row] = await db
    .select({ owner: deliveries.leaseOwner })
    .from(deliveries)
    .where(eq(deliveries.id, working));
  return row?.owner === owner;
}
