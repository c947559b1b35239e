import { Module } from '@nestjs/common';
import { ScheduleModule } from '../schedule/index.js';
import { OutboxController } from './outbox.controller.js';
import { OutboxSender } from './outbox.sender.js';
import { OutboxService } from './outbox.service.js';
import { OutboxWorker } from './outbox.worker.js';

@Module({
  imports: [ScheduleModule],
  controllers: [OutboxController],
  providers: [OutboxService, OutboxSender, OutboxWorker],
  exports: [OutboxService],
})
export class OutboxModule {}
