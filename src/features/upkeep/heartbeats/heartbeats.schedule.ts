import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ScheduleService } from '../../schedule/index.js';
import { Heartbeats } from './heartbeats.js';

const TEN_MINUTES_MS = 600_000;

/** Looks every ten minutes for slices whose turn it is: slots are hours long. */
@Injectable()
export class HeartbeatSchedule implements OnModuleInit {
  constructor(
    private readonly heartbeats: Heartbeats,
    private readonly schedule: ScheduleService,
  ) {}

  onModuleInit(): void {
    this.schedule.register('heartbeats', TEN_MINUTES_MS, (signal) => this.heartbeats.wakeAll(signal));
  }
}
