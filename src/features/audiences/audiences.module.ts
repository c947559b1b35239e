import { Module } from '@nestjs/common';
import { WAREHOUSE } from '../../platform/nest/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { ConnectionsModule } from '../connections/index.js';
import { FaultsModule } from '../faults/index.js';
import { Ledger } from '../ledger/index.js';
import { ProfilesModule } from '../profiles/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { VariantsModule } from '../variants/index.js';
import { AudienceAttributesController } from './attributes/audience-attributes.controller.js';
import { AudienceAttributes } from './attributes/audience-attributes.service.js';
import { AudienceMetricsReader } from './audience-metrics.js';
import { AudienceRecords } from './audience-records.js';
import { AudiencesController } from './audiences.controller.js';
import { AudiencesService } from './audiences.service.js';
import { AudiencesWorker } from './audiences.worker.js';
import { AudienceCopies } from './copies/audience-copies.js';
import { AudienceCleanUp } from './deletion/audience-clean-up.js';
import { AudienceDeletion } from './deletion/audience-deletion.js';
import { AudienceRemovals } from './deletion/audience-removals.js';
import { BulkDeletion } from './deletion/bulk-deletion.js';
import { MembersController } from './members/members.controller.js';
import { MembersService } from './members/members.service.js';
import { TombstonesController } from './tombstones/tombstones.controller.js';
import { TombstonesService } from './tombstones/tombstones.service.js';

/** Named, versioned sets of profiles: the list, the members, copies and deletion. */
@Module({
  imports: [TenancyModule, ConnectionsModule, FaultsModule, ProfilesModule, ScheduleModule, VariantsModule],
  controllers: [AudiencesController, AudienceAttributesController, MembersController, TombstonesController],
  providers: [
    { provide: Ledger, useFactory: (warehouse: Warehouse) => new Ledger(warehouse), inject: [WAREHOUSE] },
    AudienceRecords,
    AudienceMetricsReader,
    AudiencesService,
    AudienceCopies,
    AudienceDeletion,
    AudienceRemovals,
    BulkDeletion,
    AudienceCleanUp,
    AudiencesWorker,
    AudienceAttributes,
    MembersService,
    TombstonesService,
  ],
  exports: [AudienceRecords, AudienceCleanUp],
})
export class AudiencesModule {}
