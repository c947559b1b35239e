import { Module } from '@nestjs/common';
import { ScheduleModule as NestScheduleModule } from '@nestjs/schedule';
import { ScheduleService } from './schedule.service.js';

/** Work at regular times. Features import it and register what they have in `onModuleInit`. */
@Module({
  imports: [NestScheduleModule.forRoot()],
  providers: [ScheduleService],
  exports: [ScheduleService],
})
export class ScheduleModule {}
