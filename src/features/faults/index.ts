export { FaultCounts } from './fault-counts.js';
export { FaultLog, type Fault, type FaultDetail, type FaultSubject } from './fault-log.js';
export { FaultMail } from './fault-mail.js';
export { FaultsModule } from './faults.module.js';
export { FaultsService } from './faults.service.js';
