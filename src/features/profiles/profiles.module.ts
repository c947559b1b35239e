import { Module } from '@nestjs/common';
import { WAREHOUSE } from '../../platform/nest/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { Ledger } from '../ledger/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { VariantsModule } from '../variants/index.js';
import { ProfileErasure } from './erasure/profile-erasure.js';
import { ProfileLookup } from './profile-lookup.js';
import { ProfilesController } from './profiles.controller.js';
import { ProfilesService } from './profiles.service.js';

/** People, by mpid or by what identifies them. */
@Module({
  imports: [TenancyModule, ScheduleModule, VariantsModule],
  controllers: [ProfilesController],
  providers: [
    { provide: Ledger, useFactory: (warehouse: Warehouse) => new Ledger(warehouse), inject: [WAREHOUSE] },
    ProfilesService,
    ProfileLookup,
    ProfileErasure,
  ],
  exports: [ProfileLookup],
})
export class ProfilesModule {}
