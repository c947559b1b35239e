import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections/index.js';
import { ImportsModule } from '../imports/index.js';
import { DemoRecords } from './demo-records.js';
import { DemoService } from './demo.service.js';

@Module({
  imports: [ImportsModule, ConnectionsModule],
  providers: [DemoRecords, DemoService],
})
export class DemoModule {}
