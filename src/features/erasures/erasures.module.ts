import { Module, type Provider } from '@nestjs/common';
import type { Clock } from '../../platform/clock/index.js';
import type { Database } from '../../platform/database/index.js';
import { Leases } from '../../platform/lease/index.js';
import type { Logger } from '../../platform/log/index.js';
import { CLOCK, DATABASE, LOGGER, WAREHOUSE, WORK_QUEUE } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { DeliveriesModule, DeliveryPlanner } from '../deliveries/index.js';
import { ImportsModule } from '../imports/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { ErasurePeople } from './erasure-people.js';
import { ErasureRecords } from './erasure-records.js';
import { ErasureRunner } from './erasure-runner.js';
import { ErasuresController } from './erasures.controller.js';
import { ErasuresService } from './erasures.service.js';
import { ErasuresWorker } from './erasures.worker.js';
import { ForgetPeople } from './forget-people.js';
import { LeaveAudiences } from './leave-audiences.js';
import { Receipts } from './receipts.js';
import { SuppressionsController } from './suppressions.controller.js';
import { SuppressionsService } from './suppressions.service.js';

/** The classes of this feature that know no Nest, put together. */
const PROVIDERS: Provider[] = [
  {
    provide: ErasurePeople,
    inject: [DATABASE, WAREHOUSE],
    useFactory: (db: Database, warehouse: Warehouse) => new ErasurePeople(db, warehouse),
  },
  {
    provide: ErasureRunner,
    inject: [DATABASE, WAREHOUSE, WORK_QUEUE, CLOCK, LOGGER, Leases, DeliveryPlanner, ErasurePeople],
    useFactory: (
      db: Database,
      warehouse: Warehouse,
      queue: WorkQueue,
      clock: Clock,
      logger: Logger,
      leases: Leases,
      planner: DeliveryPlanner,
      people: ErasurePeople,
    ) => {
      return new ErasureRunner({
        db,
        warehouse,
        queue,
        leases,
        clock,
        planner,
        people,
        log: logger.child({ context: 'erasures' }),
        audiences: new LeaveAudiences({ db, warehouse, leases, clock }),
        receipts: new Receipts(db, warehouse, clock),
        forgetting: new ForgetPeople({ db, warehouse, leases, people }),
      });
    },
  },
];

/** People who are to be in no audience any more, or to be forgotten altogether. */
@Module({
  imports: [TenancyModule, ScheduleModule, DeliveriesModule, ImportsModule],
  controllers: [ErasuresController, SuppressionsController],
  providers: [...PROVIDERS, ErasuresService, ErasureRecords, SuppressionsService, ErasuresWorker],
})
export class ErasuresModule {}
