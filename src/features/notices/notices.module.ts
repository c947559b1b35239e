import { Module } from '@nestjs/common';
import { OutboxModule } from '../outbox/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { MailStreams } from './mail-streams.js';
import { Notices } from './notices.service.js';
import { NoticesWorker } from './notices.worker.js';
import { PreferencesController } from './preferences/preferences.controller.js';
import { PreferencesService } from './preferences/preferences.service.js';
import { Recipients } from './recipients.js';

/** Tells people of what happened, in the way each of them chose. */
@Module({
  imports: [TenancyModule, ScheduleModule, OutboxModule],
  controllers: [PreferencesController],
  providers: [Recipients, MailStreams, Notices, NoticesWorker, PreferencesService],
  exports: [Notices],
})
export class NoticesModule {}
