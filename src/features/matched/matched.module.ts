import { Module, type OnModuleInit } from '@nestjs/common';
import { ImportsModule } from '../imports/index.js';
import { IntakeModule } from '../intake/index.js';
import { ScheduleModule, ScheduleService } from '../schedule/index.js';
import { AccessTokens, TenancyModule } from '../tenancy/index.js';
import { MatchedAudiencesController } from './audiences/matched-audiences.controller.js';
import { MatchedAudiences } from './audiences/matched-audiences.service.js';
import { RequestBudget } from './limits/request-budget.js';
import { ListsController } from './lists/lists.controller.js';
import { UaController } from './ua/ua.controller.js';
import { MatchedUploads } from './upload/matched-uploads.service.js';

const CLEAN_UP_EVERY_MS = 3_600_000;

/** IQM's own API: log in, lists, uploads of matched audiences. */
@Module({
  imports: [TenancyModule, ScheduleModule, ImportsModule, IntakeModule],
  controllers: [UaController, ListsController, MatchedAudiencesController],
  providers: [RequestBudget, MatchedUploads, MatchedAudiences],
})
export class MatchedModule implements OnModuleInit {
  constructor(
    private readonly schedule: ScheduleService,
    private readonly budget: RequestBudget,
    private readonly tokens: AccessTokens,
  ) {}

  onModuleInit(): void {
    this.schedule.register('log-ins', CLEAN_UP_EVERY_MS, async () => {
      await this.tokens.forgetExpired();
      await this.budget.forgetOld();
    });
  }
}
