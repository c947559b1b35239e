import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id, moment } from './columns.js';
import { organizations, users, workspaces } from './tenancy.js';

/**
 * A program that may log users in (IQM: Client ID and Client Secret), for one workspace or, without one, for all of
 * the organization. Only the SHA-256 of the secret is kept.
 */
export const apiClients = pgTable('api_clients', {
  id: id(),
  organizationId: uuid()
    .notNull()
    .references(() => organizations.id, { onDelete: 'cascade' }),
  workspaceId: uuid().references(() => workspaces.id, { onDelete: 'cascade' }),
  name: text().notNull(),
  clientId: text().notNull().unique(),
  secretHash: text().notNull(),
  createdAt: createdAt(),
  revokedAt: moment(),
});

/**
 * A log-in of a user to one workspace: an access token and the refresh token that replaces both. Only their SHA-256
 * are kept. Refreshing makes a new row of the same `family`; a refresh token that comes a second time ends the family.
 */
export const accessTokens = pgTable(
  'access_tokens',
  {
    id: id(),
    family: uuid().notNull(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    clientId: uuid()
      .notNull()
      .references(() => apiClients.id, { onDelete: 'cascade' }),
    accessHash: text().notNull().unique(),
    refreshHash: text().notNull().unique(),
    accessExpiresAt: moment().notNull(),
    refreshExpiresAt: moment().notNull(),
    /** Set when the refresh token was used. */
    refreshedAt: moment(),
    revokedAt: moment(),
    createdAt: createdAt(),
  },
  (t) => [index('access_tokens_family').on(t.family), index('access_tokens_user').on(t.userId)],
);

/** The moments of the last minute's requests of one caller: the count that all processes share. */
export const requestWindows = pgTable('request_windows', {
  caller: text().primaryKey(),
  requests: moment().array().notNull().default([]),
  updatedAt: createdAt(),
});
