import { Module } from '@nestjs/common';
import { WAREHOUSE } from '../../platform/nest/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { Ledger } from '../ledger/index.js';
import { NoticesModule } from '../notices/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { DownloadService } from './download/download.service.js';
import { ExportSweep } from './export-sweep.js';
import { ExportWorker } from './export-worker.js';
import { ExportsController } from './exports.controller.js';
import { ExportsService } from './exports.service.js';
import { ExportRunner } from './runner/export-runner.js';

/** Asynchronous downloads: a ZIP of CSVs with a manifest. */
@Module({
  imports: [TenancyModule, ScheduleModule, NoticesModule],
  controllers: [ExportsController],
  providers: [
    { provide: Ledger, useFactory: (warehouse: Warehouse) => new Ledger(warehouse), inject: [WAREHOUSE] },
    ExportsService,
    DownloadService,
    ExportRunner,
    ExportWorker,
    ExportSweep,
  ],
  exports: [ExportSweep],
})
export class ExportsModule {}
