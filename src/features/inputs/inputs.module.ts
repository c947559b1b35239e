import { Module } from '@nestjs/common';
import { ConnectorsModule } from '../connectors/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { InputsController } from './inputs.controller.js';
import { InputsService } from './inputs.service.js';

@Module({
  imports: [TenancyModule, ConnectorsModule],
  controllers: [InputsController],
  providers: [InputsService],
  exports: [InputsService],
})
export class InputsModule {}
