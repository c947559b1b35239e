export { DeliveriesModule } from './deliveries.module.js';
export { DeliveryPlanner } from './delivery-planner.js';
export { DeliverySweep } from './delivery-sweep.js';
