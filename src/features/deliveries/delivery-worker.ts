import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Clock } from '../../platform/clock/index.js';
import type { OpenDatabase } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import { FairTurns, Leases, WorkLease } from '../../platform/lease/index.js';
import { InjectClock, InjectConfig, InjectOpenDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { ScheduleService } from '../schedule/index.js';
import { DeliveryRunner } from './delivery-runner.js';
import { DeliverySweep } from './delivery-sweep.js';
import { forgetOutcomes } from './forget-outcomes.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Takes deliveries from the queue in workers, and sweeps in schedulers. */
@Injectable()
export class DeliveryWorker implements OnModuleInit {
  constructor(
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectConfig() private readonly config: Config,
    @InjectOpenDatabase() private readonly database: OpenDatabase,
    @InjectClock() private readonly clock: Clock,
    private readonly leases: Leases,
    private readonly runner: DeliveryRunner,
    private readonly sweep: DeliverySweep,
    private readonly schedule: ScheduleService,
  ) {}

  async onModuleInit(): Promise<void> {
    const lease = new WorkLease(this.database.db, this.leases, 'delivery');
    // The embedded database belongs to this process alone: what is marked running was left by a dead one.
    if (this.database.kind === 'pglite') await lease.giveBackAll();
    this.schedule.registerPerProcess('deliveries', this.config.sweepMs, () => this.sweep.run());
    this.schedule.register('outcomes', HOUR_MS, async (signal) => {
      const now = this.clock.now();
      const endedBefore = new Date(now.getTime() - this.config.outcomesDays * DAY_MS);
      await forgetOutcomes(this.database.db, { endedBefore, now }, signal);
    });
    if (!this.config.roles.has('worker')) return;
    const turns = new FairTurns(this.queue, lease);
    this.queue.process('delivery', this.config.deliveryConcurrency, async (id, signal) => {
      if (await turns.comes(id)) await this.runner.run(id, signal);
    });
  }
}
