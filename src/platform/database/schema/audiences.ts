import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { createdAt, moment } from './columns.js';
import { workspaces } from './tenancy.js';

/** Where an audience comes from: a matched file (IQM), an imported id list (Repro), an L2 universe, or a copy. */
export const AUDIENCE_KINDS = ['matched', 'imported', 'segmented', 'copied'] as const;
export type AudienceKind = (typeof AUDIENCE_KINDS)[number];

/** needed → approved or rejected, once. Null: nobody has to approve it. */
export const APPROVALS = ['needed', 'approved', 'rejected'] as const;
export type Approval = (typeof APPROVALS)[number];

/** Who approved or rejected an audience. */
export interface ApprovedBy {
  name: string;
  email: string;
}

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
    /** While this is `needed`, the first version is not published; `rejected`: it never is. */
    approval: text({ enum: APPROVALS }),
    approvedBy: jsonb().$type<ApprovedBy>(),
    tags: text().array().notNull().default([]),
    /** Published version; 0: none yet. Ledger rows above it do not exist for readers. */
    version: integer().notNull().default(0),
    /** Members of the published version. */
    size: integer().notNull().default(0),
    /** The column mapping in force (domain ColumnMapping): the newest of `audience_mappings`, as the last file wrote it. */
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
    /** The erasure by which people left with it. */
    erasureId: uuid(),
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

/** The column mappings of an audience, one after the other: the first success locks one, an admin approves the next. */
export const audienceMappings = pgTable(
  'audience_mappings',
  {
    audienceId: bigint({ mode: 'number' })
      .notNull()
      .references(() => audiences.id, { onDelete: 'cascade' }),
    version: integer().notNull(),
    mapping: jsonb().$type<Record<string, unknown>>().notNull(),
    /** The import that brought it. */
    importId: uuid(),
    /** Name of the API key that approved it; null for the first one, which nobody has to approve. */
    approvedBy: text(),
    approvedAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.audienceId, t.version] })],
);
