import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Database } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import { FairTurns, Leases, WorkLease } from '../../platform/lease/index.js';
import { InjectConfig, InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { ScheduleService } from '../schedule/index.js';
import { ExportSweep } from './export-sweep.js';
import { ExportRunner } from './runner/export-runner.js';

/** One is compressed while the other's rows are read. */
const CONCURRENCY = 2;

/** Takes exports from the queue in processes with the role of a worker, and sweeps in schedulers. */
@Injectable()
export class ExportWorker implements OnModuleInit {
  private readonly turns: FairTurns;

  constructor(
    @InjectDatabase() db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectConfig() private readonly config: Config,
    leases: Leases,
    private readonly schedule: ScheduleService,
    private readonly runner: ExportRunner,
    private readonly sweep: ExportSweep,
  ) {
    this.turns = new FairTurns(queue, new WorkLease(db, leases, 'export'));
  }

  async onModuleInit(): Promise<void> {
    this.schedule.registerPerProcess('exports', this.config.sweepMs, () => this.sweep.run());
    if (!this.config.roles.has('worker')) return;
    await this.sweep.clearScratch();
    this.queue.process('export', CONCURRENCY, async (id, signal) => {
      if (await this.turns.comes(id)) await this.runner.run(id, signal);
    });
  }
}
