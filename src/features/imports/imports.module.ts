import { Module } from '@nestjs/common';
import { DeliveriesModule } from '../deliveries/index.js';
import { OutboxModule } from '../outbox/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { ImportMail } from './import-mail.js';
import { ImportsController } from './imports.controller.js';
import { ImportsService } from './imports.service.js';
import { ImportsWorker } from './imports.worker.js';
import { ScanService } from './scan/scan.service.js';

/** Files become versions of audiences. */
@Module({
  imports: [TenancyModule, DeliveriesModule, OutboxModule, ScheduleModule],
  controllers: [ImportsController],
  providers: [ImportMail, ScanService, ImportsService, ImportsWorker],
  exports: [ScanService],
})
export class ImportsModule {}
