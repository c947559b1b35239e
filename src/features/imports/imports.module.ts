import { Module } from '@nestjs/common';
import { DeliveriesModule } from '../deliveries/index.js';
import { NoticesModule } from '../notices/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { ApprovalController } from './approval/approval.controller.js';
import { ApprovalService } from './approval/approval.service.js';
import { DryRunController } from './dry-run/dry-run.controller.js';
import { DryRunService } from './dry-run/dry-run.service.js';
import { DryScanService } from './dry-run/dry-scan.service.js';
import { ImportMail } from './import-mail.js';
import { ImportsController } from './imports.controller.js';
import { ImportsService } from './imports.service.js';
import { ImportsWorker } from './imports.worker.js';
import { MappingController } from './mapping/mapping.controller.js';
import { MappingService } from './mapping/mapping.service.js';
import { SourceNoticesController } from './source-notices/source-notices.controller.js';
import { SourceNoticesWorker } from './source-notices/source-notices.worker.js';
import { NewImports } from './scan/new-imports.js';
import { ScanService } from './scan/scan.service.js';

/** Files become versions of audiences. */
@Module({
  imports: [TenancyModule, DeliveriesModule, NoticesModule, ScheduleModule],
  controllers: [
    ImportsController,
    MappingController,
    ApprovalController,
    DryRunController,
    SourceNoticesController,
  ],
  providers: [
    ImportMail,
    NewImports,
    ScanService,
    DryRunService,
    DryScanService,
    MappingService,
    ApprovalService,
    ImportsService,
    ImportsWorker,
    SourceNoticesWorker,
  ],
  exports: [NewImports, ScanService, DryRunService],
})
export class ImportsModule {}
