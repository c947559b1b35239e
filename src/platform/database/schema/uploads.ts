import { bigint, index, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id, moment } from './columns.js';
import { imports, inputs } from './inputs.js';
import { workspaces } from './tenancy.js';

/**
 * receiving → stored → taken (an import has the file) or checked (it was a dry run, `report` has what it came to);
 * refused (it never will be, `error` says why); expired (whoever received it is gone).
 */
export const UPLOAD_STATES = ['receiving', 'stored', 'taken', 'checked', 'refused', 'expired'] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

/** How far the records of a file that comes in pieces were counted. */
export interface RecordCount {
  /** Its first bytes, in hex: at most four, which tell a workbook and UTF-16. */
  start: string;
  lines: number;
  /** Inside quotes, and inside a line without anything but its end. */
  quoted: boolean;
  blank: boolean;
}

/** A file that is being, or was, sent to the hub. Its bytes are in the file store, under a key made of the id. */
export const uploads = pgTable(
  'uploads',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    inputId: uuid().references(() => inputs.id, { onDelete: 'set null' }),
    state: text({ enum: UPLOAD_STATES }).notNull().default('receiving'),
    /** As the sender named it, as soon as that is known. */
    audienceName: text(),
    /** So far, while it is received. */
    receivedBytes: bigint({ mode: 'number' }).notNull().default(0),
    /** What the sender says the size is. */
    declaredBytes: bigint({ mode: 'number' }),
    sha256: text(),
    /** Of two requests of an input with the same one the second does nothing. Null once it may be tried again. */
    requestId: text(),
    importId: uuid().references(() => imports.id, { onDelete: 'set null' }),
    /** What the sender of a resumable upload says of it; null for a file that comes in one request. */
    metadata: jsonb().$type<Record<string, string | null>>(),
    /** Of a resumable upload: of the bytes that are there. */
    counted: jsonb().$type<RecordCount>(),
    /** Of a dry run, once it is at its end: what the import would come to, as the API shows it. */
    report: jsonb().$type<Record<string, unknown>>(),
    error: jsonb().$type<{ code: string; message: string }>(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
    /** Of one that is received or stored: when its receiver counts as dead. Renewed while it lives. */
    expiresAt: moment().notNull(),
  },
  (t) => [
    unique('uploads_request').on(t.inputId, t.requestId),
    index('uploads_workspace').on(t.workspaceId, t.createdAt),
    index('uploads_state').on(t.state, t.expiresAt),
    index('uploads_import').on(t.importId),
  ],
);

/**
 * The pieces of a resumable upload, end to end from 0 on; each is a file of its own in the file store until all
 * are there. A row is written with the `receivedBytes` that it makes, so that of two senders one goes on.
 */
export const uploadParts = pgTable(
  'upload_parts',
  {
    uploadId: uuid()
      .notNull()
      .references(() => uploads.id, { onDelete: 'cascade' }),
    offsetBytes: bigint({ mode: 'number' }).notNull(),
    sizeBytes: bigint({ mode: 'number' }).notNull(),
    /** Names the file: a piece that was written and not counted is never mistaken for one that was. */
    fileId: uuid().notNull(),
  },
  (t) => [primaryKey({ columns: [t.uploadId, t.offsetBytes] })],
);
