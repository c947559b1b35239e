export {
  askBudget,
  FRESH_BUDGET,
  MAX_PAUSE_MS,
  pauseBudget,
  windowMsOf,
  type BudgetAnswer,
  type BudgetState,
  type GrantRun,
  type RateLimit,
} from './rate-window.js';
