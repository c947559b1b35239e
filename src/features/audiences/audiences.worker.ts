import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CLEAN_UP } from '../../domain/audiences/index.js';
import type { Config } from '../../platform/env/index.js';
import { InjectConfig, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { ScheduleService } from '../schedule/index.js';
import { AudienceCleanUp } from './deletion/audience-clean-up.js';

/** Cleans up after deleted audiences in workers, and looks for what was left in schedulers. */
@Injectable()
export class AudiencesWorker implements OnModuleInit {
  constructor(
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectConfig() private readonly config: Config,
    private readonly schedule: ScheduleService,
    private readonly cleanUp: AudienceCleanUp,
  ) {}

  onModuleInit(): void {
    this.schedule.registerPerProcess('audiences', this.config.sweepMs, () => this.cleanUp.sweep());
    if (!this.config.roles.has('worker')) return;
    this.queue.process(CLEAN_UP, 1, (id) => this.cleanUp.run(Number(id)));
  }
}
