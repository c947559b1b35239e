import { Module } from '@nestjs/common';
import { ConnectorsModule } from '../connectors/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { OutputsController } from './outputs.controller.js';
import { OutputsService } from './outputs.service.js';

@Module({
  imports: [TenancyModule, ConnectorsModule],
  controllers: [OutputsController],
  providers: [OutputsService],
  exports: [OutputsService],
})
export class OutputsModule {}
