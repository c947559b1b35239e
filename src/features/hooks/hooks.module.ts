import { Module } from '@nestjs/common';
import { IntakeModule } from '../intake/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { Accounts } from './accounts.js';
import { HooksController } from './hooks.controller.js';
import { HooksService } from './hooks.service.js';
import { Senders } from './senders.js';

/** Webhooks of inputs. */
@Module({
  imports: [TenancyModule, IntakeModule],
  controllers: [HooksController],
  providers: [HooksService, Senders, Accounts],
})
export class HooksModule {}
