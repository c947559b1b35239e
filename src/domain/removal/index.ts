export { planRemoval, type RemovalFacts, type RemovalPlan } from './plan-removal.js';
