import { sql } from 'drizzle-orm';
import { index, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { NOTICE_CHOICES, NOTICE_KINDS, type NoticeContent } from '../../../domain/notices/index.js';
import { createdAt, id, moment } from './columns.js';
import { outbox } from './exports.js';
import { users, workspaces } from './tenancy.js';

/** One thing that one person is told of. It is in exactly one mail: `mailId` is set by the transaction that writes it. */
export const notices = pgTable(
  'notices',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    kind: text({ enum: NOTICE_KINDS }).notNull(),
    recipient: text().notNull(),
    /** What it is gathered with: the kind, or `digest`. */
    bundle: text().notNull(),
    /** Names the occasion: told again, after a crash say, it is the same notice. */
    onceKey: text().notNull(),
    content: jsonb().$type<NoticeContent>().notNull(),
    mailId: uuid().references(() => outbox.id, { onDelete: 'set null' }),
    createdAt: createdAt(),
    /** When it went into a mail; null: it waits. */
    gatheredAt: moment(),
  },
  (t) => [
    unique('notices_once').on(t.onceKey, t.recipient),
    index('notices_waiting')
      .on(t.workspaceId, t.recipient, t.bundle)
      .where(sql`gathered_at is null`),
  ],
);

/** When the next mail of a bundle may go to somebody. Whoever writes a notice or a mail locks the row first. */
export const mailStreams = pgTable(
  'mail_streams',
  {
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    recipient: text().notNull(),
    bundle: text().notNull(),
    /** Null: nothing waits, and the next notice decides. */
    nextMailAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.recipient, t.bundle] }),
    index('mail_streams_due').on(t.nextMailAt),
  ],
);

/** What a person chose, of one kind; without a workspace: in all where nothing else is chosen. */
export const notificationChoices = pgTable(
  'notification_choices',
  {
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    workspaceId: uuid().references(() => workspaces.id, { onDelete: 'cascade' }),
    kind: text({ enum: NOTICE_KINDS }).notNull(),
    choice: text({ enum: NOTICE_CHOICES }).notNull(),
  },
  (t) => [unique('notification_choices_once').on(t.userId, t.workspaceId, t.kind).nullsNotDistinct()],
);
