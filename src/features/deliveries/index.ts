export { DeliveriesModule } from './deliveries.module.js';
export { DeliveryPlanner } from './delivery-planner.js';
export { LearnedIdentities } from './learned-identities.js';
export { makeDeliveries, openDelivery } from './make-deliveries.js';
export { slotsDoneSql } from './sends-again.js';
export { DeliverySweep } from './delivery-sweep.js';
export { PartnerLines } from './partner-lines.js';
