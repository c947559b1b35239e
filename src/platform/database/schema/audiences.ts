import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { createdAt, moment } from './columns.js';
import { workspaces } from './tenancy.js';

/** Where an audience comes from: a matched file (IQM), an imported id list (Repro), an L2 universe, or a copy. */
export const AUDIENCE_KINDS = ['matched', 'imported', 'segmented', 'copied'] as const;
export type AudienceKind = (typeof AUDIENCE_KINDS)[number];

/** A named, versioned set of profiles. Its members live in the warehouse's ledger. */
export const audiences = pgTable(
  'audiences',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    /** What partners see; null: the name. */
    externalName: text(),
    kind: text({ enum: AUDIENCE_KINDS }).notNull(),
    tags: text().array().notNull().default([]),
    /** Published version; 0: none yet. Ledger rows above it do not exist for readers. */
    version: integer().notNull().default(0),
    /** Members of the published version. */
    size: integer().notNull().default(0),
    /** The column mapping locked by the first success (domain ColumnMapping). */
    mapping: jsonb().$type<Record<string, unknown>>(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
    /** Set first when deleting; the rest is cleaned up afterwards, and again after a crash. */
    deletedAt: moment(),
  },
  (t) => [index('audiences_workspace').on(t.workspaceId, t.name)],
);

/** A published state of an audience. */
export const audienceVersions = pgTable(
  'audience_versions',
  {
    audienceId: bigint({ mode: 'number' })
      .notNull()
      .references(() => audiences.id, { onDelete: 'cascade' }),
    version: integer().notNull(),
    /** The import that made it; null for a duplicate's first version. */
    importId: uuid(),
    size: integer().notNull(),
    added: integer().notNull(),
    removed: integer().notNull(),
    publishedAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.audienceId, t.version] }),
    index('audience_versions_published').on(t.publishedAt),
  ],
);
