import { Module } from '@nestjs/common';
import { DeliveriesModule } from '../deliveries/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { VariantsModule } from '../variants/index.js';
import { BulkConnections } from './bulk-connections.js';
import { ConnectionNames } from './connection-names.js';
import { ConnectionViews } from './connection-views.js';
import { ConnectionsController } from './connections.controller.js';
import { ConnectionsService } from './connections.service.js';

@Module({
  imports: [TenancyModule, DeliveriesModule, VariantsModule],
  controllers: [ConnectionsController],
  providers: [ConnectionsService, BulkConnections, ConnectionNames, ConnectionViews],
  exports: [ConnectionsService, ConnectionNames],
})
export class ConnectionsModule {}
