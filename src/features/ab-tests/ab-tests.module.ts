import { Module } from '@nestjs/common';
import { AudiencesModule } from '../audiences/index.js';
import { ConnectionsModule } from '../connections/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { VariantsModule } from '../variants/index.js';
import { AbTestsController } from './ab-tests.controller.js';
import { AbTestsService } from './ab-tests.service.js';

@Module({
  imports: [TenancyModule, AudiencesModule, ConnectionsModule, VariantsModule],
  controllers: [AbTestsController],
  providers: [AbTestsService],
})
export class AbTestsModule {}
