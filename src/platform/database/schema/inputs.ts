import {
  bigint,
  bigserial,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Waterfall } from '../../../domain/imports/index.js';
import { audiences } from './audiences.js';
import { createdAt, id, leaseColumns, moment, turnIndexes } from './columns.js';
import { workspaces } from './tenancy.js';

export const ON_UNKNOWN = ['reject', 'create'] as const;
export type OnUnknown = (typeof ON_UNKNOWN)[number];

/** A configured input connector of a workspace. */
export const inputs = pgTable(
  'inputs',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    plugin: text().notNull(),
    name: text().notNull(),
    settings: jsonb().$type<Record<string, unknown>>().notNull(),
    /** SecretBox envelope of the credentials' JSON. */
    credentials: text(),
    /** Overrides what the plugin says of unknown ids. */
    onUnknown: text({ enum: ON_UNKNOWN }),
    /**
     * Which seats the files of this input may name: only its own workspace's, or all of the organization
     * (only a key of the whole organization may set that).
     */
    routing: text({ enum: ['workspace', 'organization'] }).notNull(),
    enabled: boolean().notNull().default(true),
    /** Last scan that ran to its end, and why the last one failed where it did. */
    lastScanAt: moment(),
    lastScanError: jsonb().$type<{ code: string; message: string }>(),
    /** Key at which a long scan was cut off: the next one begins behind it. Null after one that came to its end. */
    scanCursor: text(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (t) => [index('inputs_workspace').on(t.workspaceId)],
);

/** What is known of each source key of an input: which revision was last taken and which audience it makes. */
export const sources = pgTable(
  'sources',
  {
    id: id(),
    inputId: uuid()
      .notNull()
      .references(() => inputs.id, { onDelete: 'cascade' }),
    key: text().notNull(),
    /** Revision of the newest import made of this key. */
    revision: text().notNull(),
    audienceId: bigint({ mode: 'number' }).references(() => audiences.id, { onDelete: 'set null' }),
    /** Set when the audience was deleted and the layout bars the key from making one again. */
    tombstonedAt: moment(),
    /** When its files began to fail; null once one succeeded. */
    failingSince: moment(),
    updatedAt: createdAt(),
  },
  (t) => [unique('sources_key').on(t.inputId, t.key)],
);

export const IMPORT_STATES = [
  'queued',
  'running',
  'held',
  'published',
  'unchanged',
  'failed',
  'discarded',
] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** The steps of an import, in order; `step` names the one to do next (or that failed). */
export const IMPORT_STEPS = [
  'fetch',
  'preflight',
  'stage',
  'resolve',
  'diff',
  'guard',
  'commit',
  'publish',
] as const;
export type ImportStep = (typeof IMPORT_STEPS)[number];

/** Counts of rows: read = accepted + rejected; accepted = matched + created + unknown + duplicate. */
export interface ImportRows {
  read: number;
  accepted: number;
  rejected: number;
  matched: number;
  created: number;
  unknown: number;
  duplicate: number;
  rejectedByReason: Record<string, number>;
  /** Absent in imports that were counted before there were waterfalls. */
  waterfall?: Waterfall;
}

/** Why an import failed or is held: what happened, where, what was expected, what to do next. */
export interface ImportProblem {
  code: string;
  message: string;
  step?: ImportStep;
  row?: number;
  column?: string;
}

/** One run of one source file through the pipeline; the truth about that work. */
export const imports = pgTable(
  'imports',
  {
    id: id(),
    /** Order in which sources were seen; a newer file of the same key has the higher one. */
    sequence: bigserial({ mode: 'number' }).notNull(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    inputId: uuid().references(() => inputs.id, { onDelete: 'set null' }),
    sourceId: uuid().references(() => sources.id, { onDelete: 'set null' }),
    sourceKey: text().notNull(),
    revision: text().notNull(),
    audienceId: bigint({ mode: 'number' }).references(() => audiences.id, { onDelete: 'set null' }),
    audienceName: text().notNull(),
    state: text({ enum: IMPORT_STATES }).notNull().default('queued'),
    step: text({ enum: IMPORT_STEPS }).notNull().default('fetch'),
    /** The SourceFile as listed: shape, size, onUnknown, tombstones. */
    source: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Set by the steps as they go: file key in the spool, detected encoding, mapping, delta counts. */
    progress: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    rows: jsonb().$type<ImportRows>(),
    added: integer(),
    removed: integer(),
    baseVersion: integer(),
    version: integer(),
    error: jsonb().$type<ImportProblem>(),
    warnings: jsonb().$type<ImportProblem[]>().notNull().default([]),
    /** Guard verdict overridden by an admin. */
    released: boolean().notNull().default(false),
    ...leaseColumns(),
    createdAt: createdAt(),
    startedAt: moment(),
    finishedAt: moment(),
  },
  (t) => [
    index('imports_state').on(t.state, t.sequence),
    index('imports_workspace').on(t.workspaceId, t.sequence),
    index('imports_audience').on(t.audienceId, t.sequence),
    index('imports_source').on(t.sourceId, t.sequence),
    ...turnIndexes('imports', t),
  ],
);

/** The first problems of an import, row by row; the whole list is a CSV among the files. */
export const importErrors = pgTable(
  'import_errors',
  {
    id: id(),
    importId: uuid()
      .notNull()
      .references(() => imports.id, { onDelete: 'cascade' }),
    /** 1-based number of the record in the file, the header included; null where it is about the whole file. */
    row: bigint({ mode: 'number' }),
    column: text(),
    code: text().notNull(),
    message: text().notNull(),
    /** Masked: enough to find the cell, not enough to know the person. */
    value: text(),
    position: integer().notNull(),
  },
  (t) => [unique('import_errors_position').on(t.importId, t.position)],
);
