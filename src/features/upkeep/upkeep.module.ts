import { Module } from '@nestjs/common';
import { PluginRegistry } from '../../host/registry/index.js';
import type { Clock } from '../../platform/clock/index.js';
import type { Database } from '../../platform/database/index.js';
import { CLOCK, DATABASE, WAREHOUSE, WORK_QUEUE } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { ConnectionsModule } from '../connections/index.js';
import { DeliveriesModule } from '../deliveries/index.js';
import { FaultsModule } from '../faults/index.js';
import { Ledger } from '../ledger/index.js';
import { NoticesModule } from '../notices/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { HeartbeatSchedule } from './heartbeats/heartbeats.schedule.js';
import { Heartbeats } from './heartbeats/heartbeats.js';
import { AcceptedMembers } from './reconciliation/accepted-members.js';
import { DifferenceMail } from './reconciliation/difference-mail.js';
import { GoneLists } from './reconciliation/gone-lists.js';
import { ReconcileController } from './reconciliation/reconcile.controller.js';
import { ReconcileService } from './reconciliation/reconcile.service.js';
import { Reconciler } from './reconciliation/reconciler.js';

/** Looks after what is at partners when nothing changes here. */
@Module({
  imports: [TenancyModule, ScheduleModule, ConnectionsModule, DeliveriesModule, FaultsModule, NoticesModule],
  controllers: [ReconcileController],
  providers: [
    AcceptedMembers,
    DifferenceMail,
    GoneLists,
    Reconciler,
    ReconcileService,
    HeartbeatSchedule,
    {
      provide: Heartbeats,
      inject: [DATABASE, WAREHOUSE, PluginRegistry, WORK_QUEUE, CLOCK],
      useFactory: (
        db: Database,
        warehouse: Warehouse,
        registry: PluginRegistry,
        queue: WorkQueue,
        clock: Clock,
      ) => new Heartbeats({ db, ledger: new Ledger(warehouse), registry, queue, clock }),
    },
  ],
})
export class UpkeepModule {}
