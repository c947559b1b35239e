import { bigint, boolean, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id, leaseColumns, moment, turnIndexes } from './columns.js';
import { workspaces } from './tenancy.js';

export const EXPORT_STATES = ['queued', 'running', 'ready', 'failed', 'expired'] as const;
export type ExportState = (typeof EXPORT_STATES)[number];

/** An asynchronous download: a ZIP of CSVs + manifest.json. */
export const exportsTable = pgTable(
  'exports',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    audienceIds: jsonb().$type<number[]>().notNull(),
    variantIds: jsonb().$type<string[]>().notNull().default([]),
    identityTypes: jsonb().$type<string[]>().notNull(),
    neutraliseFormulas: boolean().notNull().default(false),
    notifyEmail: text(),
    state: text({ enum: EXPORT_STATES }).notNull().default('queued'),
    /** Versions that are exported, fixed when the work begins, so that a second try gives the same file. */
    versions: jsonb().$type<Record<string, number>>(),
    archiveName: text(),
    fileKey: text(),
    sizeBytes: bigint({ mode: 'number' }),
    manifest: jsonb().$type<Record<string, unknown>>(),
    error: jsonb().$type<{ code: string; message: string }>(),
    ...leaseColumns(),
    createdAt: createdAt(),
    startedAt: moment(),
    finishedAt: moment(),
    expiresAt: moment(),
  },
  (t) => [
    index('exports_workspace').on(t.workspaceId, t.createdAt),
    index('exports_state').on(t.state),
    ...turnIndexes('exports', t),
  ],
);

/** Mail to send; the API lists it, and without SMTP_URL it stays here as the only copy. */
export const outbox = pgTable(
  'outbox',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    /** Makes a message unique, so that a step that runs twice mails once. */
    onceKey: text().notNull().unique(),
    recipient: text().notNull(),
    /** What it is about: a kind of notice, or `digest`; null in mails of older hubs. */
    kind: text(),
    subject: text().notNull(),
    body: text().notNull(),
    /** The same as `body`, for clients that show HTML. */
    html: text(),
    /** Mails of one thread are shown together. */
    thread: text(),
    state: text({ enum: ['waiting', 'sent', 'kept', 'failed'] }).notNull(),
    error: text(),
    ...leaseColumns(),
    createdAt: createdAt(),
    sentAt: moment(),
  },
  (t) => [index('outbox_workspace').on(t.workspaceId, t.createdAt), index('outbox_state').on(t.state)],
);
