import { Module } from '@nestjs/common';
import { FaultsModule } from '../faults/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { DeliveriesController } from './deliveries.controller.js';
import { DeliveriesService } from './deliveries.service.js';
import { DeliveryPlanner } from './delivery-planner.js';
import { DeliverySweep } from './delivery-sweep.js';
import { DeliveryWorker } from './delivery-worker.js';
import { DELIVERY_PROVIDERS } from './delivery.providers.js';
import { LearnedIdentities } from './learned-identities.js';
import { OutcomesService } from './outcomes.service.js';
import { PartnerLines } from './partner-lines.js';
import { RemovalForecast } from './removal/removal-forecast.js';
import { RemovalPlanner } from './removal/removal-planner.js';
import { SharedLists } from './removal/shared-lists.js';

/** Brings changes of membership to partners. Others wake {@link DeliveryPlanner} after publishing a version. */
@Module({
  imports: [TenancyModule, ScheduleModule, FaultsModule],
  controllers: [DeliveriesController],
  providers: [
    DeliveryPlanner,
    PartnerLines,
    SharedLists,
    RemovalForecast,
    RemovalPlanner,
    ...DELIVERY_PROVIDERS,
    DeliveryWorker,
    DeliveriesService,
    OutcomesService,
  ],
  exports: [
    DeliveryPlanner,
    DeliverySweep,
    LearnedIdentities,
    PartnerLines,
    RemovalForecast,
    RemovalPlanner,
    SharedLists,
  ],
})
export class DeliveriesModule {}
