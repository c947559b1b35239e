import { jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import type { BudgetState } from '../../../domain/rates/index.js';
import { moment } from './columns.js';

/** What was sent to partner accounts that allow so many requests in a while, where there is no Redis. */
export const rateBudgets = pgTable('rate_budgets', {
  /** Fingerprint of the account; says nothing of it. */
  key: text().primaryKey(),
  state: jsonb().$type<BudgetState>().notNull(),
  askedAt: moment().notNull().defaultNow(),
});
