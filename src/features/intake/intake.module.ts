import { Module } from '@nestjs/common';
import { ImportsModule } from '../imports/index.js';
import { ScheduleModule } from '../schedule/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { DraftSweep } from './draft-sweep.js';
import { IntakeService } from './intake.service.js';
import { ResumableFinish } from './resumable/resumable-finish.service.js';
import { ResumableUploads } from './resumable/resumable-uploads.service.js';
import { TusEndpoint } from './resumable/tus-endpoint.js';
import { TusController } from './resumable/tus.controller.js';
import { UploadInputs } from './upload-inputs.js';
import { UploadSweep } from './upload-sweep.js';
import { UploadsController } from './uploads.controller.js';
import { UploadsService } from './uploads.service.js';

/** Files that are sent to the hub. */
@Module({
  imports: [TenancyModule, ImportsModule, ScheduleModule],
  controllers: [TusController, UploadsController],
  providers: [
    IntakeService,
    UploadInputs,
    UploadsService,
    ResumableUploads,
    ResumableFinish,
    TusEndpoint,
    UploadSweep,
    DraftSweep,
  ],
  exports: [IntakeService, UploadInputs],
})
export class IntakeModule {}
