import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections/index.js';
import { DeliveriesModule } from '../deliveries/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { PlanFiguresService } from './plan-figures.service.js';
import { PlansController } from './plans.controller.js';
import { PlansService } from './plans.service.js';

/** What a connection would send, looked at before it is sent. */
@Module({
  imports: [TenancyModule, ConnectionsModule, DeliveriesModule],
  controllers: [PlansController],
  providers: [PlansService, PlanFiguresService],
})
export class PlansModule {}
