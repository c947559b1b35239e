import { bigint, index, integer, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id, moment } from './columns.js';
import { workspaces } from './tenancy.js';

/** suppress: people leave and do not come back; erase: and then the hub forgets them. */
export const ERASURE_KINDS = ['suppress', 'erase'] as const;
export type ErasureKind = (typeof ERASURE_KINDS)[number];

/** waiting: for partners' answers or for imports that began before; the receipts say which. */
export const ERASURE_STATES = ['queued', 'running', 'waiting', 'done', 'failed'] as const;
export type ErasureState = (typeof ERASURE_STATES)[number];

/** The steps in order; `step` names the one to do next. */
export const ERASURE_STEPS = ['find', 'leave', 'list', 'await', 'forget'] as const;
export type ErasureStep = (typeof ERASURE_STEPS)[number];

/**
 * One request to suppress or erase people. Who they are is in the warehouse only, as hashes, and only until it is
 * done.
 */
export const erasures = pgTable(
  'erasures',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    kind: text({ enum: ERASURE_KINDS }).notNull(),
    state: text({ enum: ERASURE_STATES }).notNull().default('queued'),
    step: text({ enum: ERASURE_STEPS }).notNull().default('find'),
    /** Different identities and mpids that were given. */
    given: integer().notNull(),
    /** Rows of the file that name nobody, by reason. */
    rejectedByReason: jsonb().$type<Record<string, number>>().notNull().default({}),
    /** Profiles that were found; null until then. */
    profiles: integer(),
    /** Audiences that published a version without them. */
    audiences: integer().notNull().default(0),
    /** `workspaces.suppressionsRevision` once they were found: imports that began below it are waited for. */
    revision: integer(),
    /** Tries of the step that failed last. */
    failures: integer().notNull().default(0),
    error: jsonb().$type<{ code: string; message: string }>(),
    createdAt: createdAt(),
    startedAt: moment(),
    finishedAt: moment(),
  },
  (t) => [
    index('erasures_workspace').on(t.workspaceId, t.createdAt),
    index('erasures_state').on(t.state, t.createdAt),
  ],
);

/**
 * waiting → answered (the delivery went out; its counts say what the partner did), not_sent (the partner never had
 * them, or no longer), waived (an admin waits no longer) or gone (the connection was deleted).
 */
export const RECEIPT_STATES = ['waiting', 'answered', 'not_sent', 'waived', 'gone'] as const;
export type ReceiptState = (typeof RECEIPT_STATES)[number];

/** What one connection did about an erasure. Refers to nothing, so that it outlives the connection. */
export const erasureReceipts = pgTable(
  'erasure_receipts',
  {
    id: id(),
    erasureId: uuid()
      .notNull()
      .references(() => erasures.id, { onDelete: 'cascade' }),
    connectionId: uuid().notNull(),
    audienceId: bigint({ mode: 'number' }).notNull(),
    outputName: text().notNull(),
    plugin: text().notNull(),
    /** Version of the audience by which all of them are out. */
    version: integer().notNull(),
    state: text({ enum: RECEIPT_STATES }).notNull().default('waiting'),
    /** Why it waits, or what somebody should know. */
    reason: jsonb().$type<{ code: string; message: string }>(),
    /** The delivery that took them out, and when it was done. */
    deliveryId: uuid(),
    deliveredAt: moment(),
    /** Profiles of that delivery: sent = accepted + rejected + unsupported + notSent. */
    sent: integer(),
    accepted: integer(),
    rejected: integer(),
    /** The output cannot remove members. */
    unsupported: integer(),
    /** They have no identity that the output takes, so it never had them. */
    notSent: integer(),
    /** Name of the API key. */
    waivedBy: text(),
    settledAt: moment(),
  },
  (t) => [unique('erasure_receipts_connection').on(t.erasureId, t.connectionId)],
);
