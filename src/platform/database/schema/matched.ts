import { bigint, boolean, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { audiences } from './audiences.js';
import { createdAt } from './columns.js';

/** What was said of an audience when it was uploaded by IQM's API, to be shown as it was said. */
export const matchedUploads = pgTable('matched_uploads', {
  audienceId: bigint({ mode: 'number' })
    .primaryKey()
    .references(() => audiences.id, { onDelete: 'cascade' }),
  fileName: text().notNull(),
  /** JSON, as sent. */
  columns: text().notNull(),
  columnSettings: text(),
  /** JSON, as sent but for the sample values of people (`columnValues`), which are not kept. */
  metadata: text().notNull(),
  fileTotalCount: integer().notNull(),
  isSingleColumn: boolean().notNull(),
  /** Who uploaded it. */
  userName: text().notNull(),
  userNumber: integer(),
  createdAt: createdAt(),
});
