export { planRemoval, type RemovalFacts, type RemovalPlan } from './plan-removal.js';
export { whatStays, type RemovalRemains } from './what-stays.js';
