export type { BudgetStore } from './budget-store.js';
export { DatabaseBudgetStore } from './database-budget-store.js';
export { EmbeddedBudgetStore } from './embedded-budget-store.js';
export { MemoryBudgetStore } from './memory-budget-store.js';
export { RedisBudgetStore, type RedisClient } from './redis-budget-store.js';
