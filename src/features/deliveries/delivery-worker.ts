import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { OpenDatabase } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import { Leases, WorkLease } from '../../platform/lease/index.js';
import { InjectConfig, InjectOpenDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { ScheduleService } from '../schedule/index.js';
import { DeliveryRunner } from './delivery-runner.js';
import { DeliverySweep } from './delivery-sweep.js';

/** Takes deliveries from the queue in workers, and sweeps in schedulers. */
@Injectable()
export class DeliveryWorker implements OnModuleInit {
  constructor(
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectConfig() private readonly config: Config,
    @InjectOpenDatabase() private readonly database: OpenDatabase,
    private readonly leases: Leases,
    private readonly runner: DeliveryRunner,
    private readonly sweep: DeliverySweep,
    private readonly schedule: ScheduleService,
  ) {}

  async onModuleInit(): Promise<void> {
    // The embedded database belongs to this process alone: what is marked running was left by a dead one.
    if (this.database.kind === 'pglite') {
      await new WorkLease(this.database.db, this.leases, 'delivery').giveBackAll();
    }
    this.schedule.registerPerProcess('deliveries', this.config.sweepMs, () => this.sweep.run());
    if (!this.config.roles.has('worker')) return;
    this.queue.process('delivery', this.config.deliveryConcurrency, (id, signal) =>
      this.runner.run(id, signal),
    );
  }
}
