import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron, SchedulerRegistry } from '@nestjs/schedule';
import type { Clock } from '../../platform/clock/index.js';
import type { Database } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import { Leases } from '../../platform/lease/index.js';
import type { Logger } from '../../platform/log/index.js';
import { InjectClock, InjectConfig, InjectDatabase, InjectLogger } from '../../platform/nest/index.js';
import { ABORT_MS, ShutdownError } from '../../platform/queue/index.js';
import { leaseNameOf, ScheduleSlots, slotAt, type Slot } from './schedule-slots.js';

/** Work of a schedule. `signal` aborts at shutdown, and where another process took the slot over. */
export type ScheduledWork = (signal: AbortSignal) => Promise<void>;

interface Schedule {
  everyMs: number;
  run: ScheduledWork;
  /** Newest slot that is known to have been run, here or elsewhere. */
  settledMs: number;
}

/** Every ten seconds: how late a slot may begin. Settled slots cost no query. */
const TICK = '*/10 * * * * *';

/**
 * Runs work at regular times. Register in `onModuleInit` or a constructor; nothing runs before the
 * application is up.
 */
@Injectable()
export class ScheduleService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly schedules = new Map<string, Schedule>();
  private readonly perProcess = new Map<string, { everyMs: number; run: ScheduledWork }>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly stopped = new AbortController();
  private readonly slots: ScheduleSlots;
  private readonly isScheduler: boolean;
  private readonly log: Logger;
  private started = false;

  constructor(
    @InjectDatabase() db: Database,
    private readonly leases: Leases,
    @InjectClock() private readonly clock: Clock,
    @InjectConfig() config: Config,
    @InjectLogger() log: Logger,
    private readonly timers: SchedulerRegistry,
  ) {
    this.slots = new ScheduleSlots(db, leases);
    this.isScheduler = config.roles.has('scheduler');
    this.log = log.child({ context: 'schedule' });
  }

  /**
   * Runs `run` once a slot of `everyMs`, counted from 1970, in one of the processes with role `scheduler`.
   * If the newest slot was missed while all of them were down, it is made up at the next start; older ones
   * are not. A slot whose process died is run again after a lease, so `run` must bear being run twice. A run
   * that throws is logged and not repeated before the next slot; runs of one name never overlap.
   *
   * @throws Error where the name is taken, or `everyMs` is no whole number above 0
   */
  register(name: string, everyMs: number, run: ScheduledWork): void {
    this.assertFree(name, everyMs);
    this.schedules.set(name, { everyMs, run, settledMs: -Infinity });
    if (this.started) void this.tick();
  }

  /**
   * Runs `run` at start and then every `everyMs`, in each process with role `scheduler`; left out while the
   * last one still runs.
   *
   * @throws Error where the name is taken, or `everyMs` is no whole number above 0
   */
  registerPerProcess(name: string, everyMs: number, run: ScheduledWork): void {
    this.assertFree(name, everyMs);
    this.perProcess.set(name, { everyMs, run });
    if (this.started) this.startPerProcess(name);
  }

  onApplicationBootstrap(): void {
    this.started = true;
    for (const name of this.perProcess.keys()) this.startPerProcess(name);
    void this.tick();
  }

  /** Runs every schedule whose present slot nobody has run; resolves when none runs any more. Never rejects. */
  @Cron(TICK, { name: 'schedule-tick' })
  async tick(): Promise<void> {
    if (!this.started || !this.isScheduler) return;
    const nowMs = this.clock.now().getTime();
    await Promise.all(
      [...this.schedules].map(async ([name, schedule]) => {
        const slot = slotAt(name, schedule.everyMs, nowMs);
        if (slot.slotMs === schedule.settledMs) return;
        await this.alone(name, () => this.runSlot(slot, schedule));
      }),
    );
  }

  /** Aborts what runs and waits for it, but not for ever; its slots are free for other processes. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort(new ShutdownError());
    const waiting = new AbortController();
    const patience = sleep(ABORT_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.running.values()), patience]);
    waiting.abort();
    if (this.running.size > 0) this.log.warn({ schedules: [...this.running.keys()] }, 'did not stop in time');
  }

  private assertFree(name: string, everyMs: number): void {
    if (this.schedules.has(name) || this.perProcess.has(name)) {
      throw new Error(`There is a schedule '${name}' already. Give each its own name.`);
    }
    if (!Number.isSafeInteger(everyMs) || everyMs < 1) {
      throw new Error(`Schedule '${name}': everyMs is ${everyMs}, expected a whole number above 0.`);
    }
  }

  private startPerProcess(name: string): void {
    const given = this.perProcess.get(name);
    if (!given || !this.isScheduler) return;
    const run = () => void this.alone(name, () => given.run(this.stopped.signal));
    this.timers.addInterval(`schedule-${name}`, setInterval(run, given.everyMs));
    run();
  }

  /** Runs `work`, or waits with whoever runs `name` already; nothing once the process stops. Never rejects. */
  private alone(name: string, work: () => Promise<void>): Promise<void> {
    const present = this.running.get(name);
    if (present) return present;
    if (this.stopped.signal.aborted) return Promise.resolve();
    const running = this.logged(name, work).finally(() => this.running.delete(name));
    this.running.set(name, running);
    return running;
  }

  private async logged(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (err) {
      if (this.stopped.signal.aborted) this.log.info({ schedule: name }, 'stopped for shutdown');
      else this.log.error({ schedule: name, err }, 'schedule failed');
    }
  }

  private async runSlot(slot: Slot, schedule: Schedule): Promise<void> {
    const owner = randomUUID();
    const taken = await this.slots.take(slot, owner);
    if (taken === 'settled') schedule.settledMs = slot.slotMs;
    if (taken !== 'taken') return;
    const renewal = this.leases.keep(() => this.leases.renew(leaseNameOf(slot.schedule), owner));
    try {
      const { signal } = renewal.held(this.stopped.signal);
      await this.logged(slot.schedule, () => schedule.run(signal));
      if (signal.aborted) return;
      await this.slots.finish(slot, owner);
      schedule.settledMs = slot.slotMs;
    } finally {
      renewal.stop();
      await this.slots.release(slot, owner);
    }
  }
}
