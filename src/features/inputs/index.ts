export type { Input } from './inputs.dto.js';
export { InputsModule } from './inputs.module.js';
export { InputsService } from './inputs.service.js';
