import { bigint, index, integer, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { DIGEST_SPANS } from '../../../domain/notices/index.js';
import { createdAt, id, moment } from './columns.js';

/** What a workspace may set; every field has a default in the code that reads it. */
export interface WorkspaceSettings {
  /** ISO 3166 alpha-2 region whose calling code a bare phone number gets. Never assumed. */
  defaultPhoneRegion?: string;
  /** Most audiences the workspace may hold. */
  audienceLimit?: number;
  /** Share (0..1) by which a refresh may shrink an audience before it is held. Default 0.5. */
  maxShrinkShare?: number;
}

/** Why an organization is on hold, as its users are told when they log in. */
export interface OrganizationHold {
  reason: string;
  supportEmail: string;
}

export const UPLOAD_APPROVALS = ['automatic', 'manual'] as const;
/** Whether an uploaded audience is published by itself, or once somebody approved it. */
export type UploadApproval = (typeof UPLOAD_APPROVALS)[number];

/** The customer account. `externalId` is the IQM account id (owId). */
export const organizations = pgTable('organizations', {
  id: id(),
  name: text().notNull(),
  externalId: text().unique(),
  /** Nobody of the organization logs in while this is set, and access tokens are refused. */
  hold: jsonb().$type<OrganizationHold>(),
  uploadApproval: text({ enum: UPLOAD_APPROVALS }).notNull().default('automatic'),
  createdAt: createdAt(),
});

/** A tenant: every row of data belongs to exactly one. `number` is its key in the warehouse. */
export const workspaces = pgTable(
  'workspaces',
  {
    id: id(),
    number: integer().notNull().generatedAlwaysAsIdentity().unique(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    seatId: text().notNull(),
    /** Where its users log in (IQM: the workspace URL in X-IAA-HOST): host and port, lower case. */
    host: text().unique(),
    settings: jsonb().$type<WorkspaceSettings>().notNull().default({}),
    /** Hash forms (identity types) that are kept findable beside raw e-mail and phone. Grows, never shrinks. */
    hashForms: text().array().notNull().default([]),
    /** Newest change of the identities of known profiles that is whole in the warehouse (`identity_changes.seq`). */
    identitySequence: bigint({ mode: 'number' }).notNull().default(0),
    /** Grows each time known people are suppressed: an import that resolved below it looks at its people again. */
    suppressionsRevision: integer().notNull().default(0),
    createdAt: createdAt(),
  },
  (t) => [unique('workspaces_seat').on(t.organizationId, t.seatId)],
);

export const ROLES = ['admin', 'editor', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

/** A person who gets mail about a workspace or a whole organization (`workspaceId` null), and with a password logs in. */
export const users = pgTable(
  'users',
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    workspaceId: uuid().references(() => workspaces.id, { onDelete: 'cascade' }),
    email: text().notNull(),
    name: text().notNull(),
    role: text({ enum: ROLES }).notNull(),
    /** Its number in IQM's API (uowId). */
    number: integer().notNull().generatedAlwaysAsIdentity().unique(),
    /** scrypt; null: cannot log in. */
    passwordHash: text(),
    /** How often the digests come, where some are chosen. */
    digestEvery: text({ enum: DIGEST_SPANS }).notNull().default('day'),
    createdAt: createdAt(),
  },
  (t) => [index('users_organization').on(t.organizationId)],
);

/**
 * An API key. Both scopes null: the whole hub; organization only: all its workspaces; workspace: that one.
 * Only the SHA-256 of the key is kept.
 */
export const apiKeys = pgTable('api_keys', {
  id: id(),
  organizationId: uuid().references(() => organizations.id, { onDelete: 'cascade' }),
  workspaceId: uuid().references(() => workspaces.id, { onDelete: 'cascade' }),
  /** The person whose key it is, where it is one person's. */
  userId: uuid().references(() => users.id, { onDelete: 'cascade' }),
  name: text().notNull(),
  role: text({ enum: ROLES }).notNull(),
  hash: text().notNull().unique(),
  /** First characters of the key, so that people can tell keys apart. */
  prefix: text().notNull(),
  createdAt: createdAt(),
  lastUsedAt: moment(),
  revokedAt: moment(),
});

/** A value that must exist once per hub (key canary, schema notes). */
export const hubFacts = pgTable('hub_facts', { name: text().primaryKey(), value: text().notNull() });

/** A right to be the only one that does something for a while (for example registering identities of a workspace). */
export const leases = pgTable('leases', {
  name: text().primaryKey(),
  owner: uuid().notNull(),
  until: moment().notNull(),
});

/** One row a schedule and slot: whoever inserts it fires the slot. */
export const scheduleSlots = pgTable(
  'schedule_slots',
  {
    schedule: text().notNull(),
    /** Start of the slot, milliseconds since 1970. */
    slotMs: bigint({ mode: 'number' }).notNull(),
    claimedAt: createdAt(),
    doneAt: moment(),
  },
  (t) => [unique('schedule_slots_once').on(t.schedule, t.slotMs)],
);
