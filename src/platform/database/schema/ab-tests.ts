import { sql } from 'drizzle-orm';
import { bigint, boolean, integer, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { audiences } from './audiences.js';
import { createdAt, id, moment } from './columns.js';
import { workspaces } from './tenancy.js';

/**
 * An A/B test of an audience, fixed once saved. A test that was deleted stays as a row with `deletedAt` until its
 * audience goes: what is removed at partners, and exports asked for before, still need to know who was in which
 * variant.
 */
export const abTests = pgTable(
  'ab_tests',
  {
    /** Part of the hash that gives each profile its variant: never changed. */
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    audienceId: bigint({ mode: 'number' })
      .notNull()
      .references(() => audiences.id, { onDelete: 'cascade' }),
    /** Name of the API key or user that saved it. */
    createdBy: text().notNull(),
    createdAt: createdAt(),
    deletedAt: moment(),
  },
  (t) => [
    // One test at a time.
    uniqueIndex('ab_tests_active')
      .on(t.audienceId)
      .where(sql`deleted_at is null`),
  ],
);

/** A share of an audience in an A/B test. Who is in it is computed from the profile, and nowhere kept. */
export const abVariants = pgTable(
  'ab_variants',
  {
    id: id(),
    testId: uuid()
      .notNull()
      .references(() => abTests.id, { onDelete: 'cascade' }),
    /** Order in which they were given; Control comes last. */
    position: integer().notNull(),
    name: text().notNull(),
    /** The remainder. */
    isControl: boolean().notNull().default(false),
    /** Hundredths of a percent: from ≤ bucket < to. */
    fromBucket: integer().notNull(),
    toBucket: integer().notNull(),
  },
  (t) => [unique('ab_variants_position').on(t.testId, t.position)],
);
