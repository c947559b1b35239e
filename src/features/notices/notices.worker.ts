import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Config } from '../../platform/env/index.js';
import { InjectConfig } from '../../platform/nest/index.js';
import { ScheduleService } from '../schedule/index.js';
import { MailStreams } from './mail-streams.js';
import { Notices } from './notices.service.js';

/** Writes gathered mails and digests when their time has come. */
@Injectable()
export class NoticesWorker implements OnModuleInit {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly schedule: ScheduleService,
    private readonly streams: MailStreams,
    private readonly notices: Notices,
  ) {}

  onModuleInit(): void {
    this.schedule.registerPerProcess('notices', this.config.sweepMs, async (signal) => {
      if ((await this.streams.gatherDue(signal)) > 0) await this.notices.send();
    });
  }
}
