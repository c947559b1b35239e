export type { Output, OutputCounts } from './outputs.dto.js';
export { OutputsModule } from './outputs.module.js';
export { OutputsService } from './outputs.service.js';
