export { DeliveriesModule } from './deliveries.module.js';
export { DeliveryPlanner } from './delivery-planner.js';
export { LearnedIdentities } from './learned-identities.js';
export { DeliverySweep } from './delivery-sweep.js';
export { PartnerLines } from './partner-lines.js';
