import { Module } from '@nestjs/common';
import { DeliveriesModule } from '../deliveries/index.js';
import { FaultsModule } from '../faults/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { VariantsModule } from '../variants/index.js';
import { BulkConnections } from './bulk-connections.js';
import { ConnectionNames } from './connection-names.js';
import { ConnectionViews } from './connection-views.js';
import { ConnectionsController } from './connections.controller.js';
import { ConnectionsService } from './connections.service.js';
import { ConnectionRemovals } from './removal/connection-removals.js';

@Module({
  imports: [TenancyModule, DeliveriesModule, FaultsModule, VariantsModule],
  controllers: [ConnectionsController],
  providers: [ConnectionsService, BulkConnections, ConnectionNames, ConnectionRemovals, ConnectionViews],
  exports: [ConnectionsService, ConnectionNames, ConnectionRemovals],
})
export class ConnectionsModule {}
