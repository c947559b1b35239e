import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections/index.js';
import { DeliveriesModule } from '../deliveries/index.js';
import { FaultsModule } from '../faults/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { AcceptedMembers } from './reconciliation/accepted-members.js';
import { GoneLists } from './reconciliation/gone-lists.js';
import { ReconcileController } from './reconciliation/reconcile.controller.js';
import { ReconcileService } from './reconciliation/reconcile.service.js';
import { Reconciler } from './reconciliation/reconciler.js';

/** Looks after what is at partners when nothing changes here. */
@Module({
  imports: [TenancyModule, ScheduleModule, ConnectionsModule, DeliveriesModule, FaultsModule],
  controllers: [ReconcileController],
  providers: [AcceptedMembers, GoneLists, Reconciler, ReconcileService],
})
export class UpkeepModule {}
