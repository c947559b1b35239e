export { ScheduleModule } from './schedule.module.js';
export { ScheduleService, type ScheduledWork } from './schedule.service.js';
