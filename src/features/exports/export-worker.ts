import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Config } from '../../platform/env/index.js';
import { InjectConfig, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { ScheduleService } from '../schedule/index.js';
import { ExportSweep } from './export-sweep.js';
import { ExportRunner } from './runner/export-runner.js';

/** One is compressed while the other's rows are read. */
const CONCURRENCY = 2;

/** Takes exports from the queue in processes with the role of a worker, and sweeps in schedulers. */
@Injectable()
export class ExportWorker implements OnModuleInit {
  constructor(
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectConfig() private readonly config: Config,
    private readonly schedule: ScheduleService,
    private readonly runner: ExportRunner,
    private readonly sweep: ExportSweep,
  ) {}

  async onModuleInit(): Promise<void> {
    this.schedule.registerPerProcess('exports', this.config.sweepMs, () => this.sweep.run());
    if (!this.config.roles.has('worker')) return;
    await this.sweep.clearScratch();
    this.queue.process('export', CONCURRENCY, (id, signal) => this.runner.run(id, signal));
  }
}
