import { Module } from '@nestjs/common';
import { DeliveriesModule } from '../deliveries/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { ConnectionViews } from './connection-views.js';
import { ConnectionsController } from './connections.controller.js';
import { ConnectionsService } from './connections.service.js';

@Module({
  imports: [TenancyModule, DeliveriesModule],
  controllers: [ConnectionsController],
  providers: [ConnectionsService, ConnectionViews],
  exports: [ConnectionsService],
})
export class ConnectionsModule {}
