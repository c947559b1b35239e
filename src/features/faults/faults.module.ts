import { Module, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../../platform/metrics/index.js';
import { NoticesModule } from '../notices/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { FaultCounts } from './fault-counts.js';
import { FaultLog } from './fault-log.js';
import { FaultMail } from './fault-mail.js';
import { FaultsController } from './faults.controller.js';
import { FaultsService } from './faults.service.js';

/** Why connections are stopped or degraded, and how they go on. */
@Module({
  imports: [TenancyModule, NoticesModule],
  controllers: [FaultsController],
  providers: [FaultsService, FaultLog, FaultMail, FaultCounts],
  exports: [FaultLog, FaultCounts],
})
export class FaultsModule implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly counts: FaultCounts,
  ) {}

  onModuleInit(): void {
    this.metrics.watchOpenFaults(() => this.counts.openByKind());
  }
}
