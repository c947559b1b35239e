import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { ScheduleModule, ScheduleService } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { AuditController } from './audit.controller.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { AuditService } from './audit.service.js';

const HOUR_MS = 3_600_000;

/** Who did what, and what became of every file and delivery. Features write it with `recordAudit`. */
@Module({
  imports: [TenancyModule, ScheduleModule],
  controllers: [AuditController],
  providers: [AuditService, { provide: APP_INTERCEPTOR, useClass: AuditInterceptor }],
})
export class AuditModule implements OnModuleInit {
  constructor(
    private readonly schedule: ScheduleService,
    private readonly audit: AuditService,
  ) {}

  onModuleInit(): void {
    this.schedule.register('audit', HOUR_MS, async (signal) => {
      await this.audit.forget(signal);
    });
  }
}
