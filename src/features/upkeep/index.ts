export { readDueHeartbeats } from './heartbeats/due-heartbeats.js';
export { UpkeepModule } from './upkeep.module.js';
