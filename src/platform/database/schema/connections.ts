import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { FaultKind } from '../../../kit/index.js';
import { abVariants } from './ab-tests.js';
import { audiences } from './audiences.js';
import { createdAt, id, leaseColumns, moment, turnIndexes } from './columns.js';
import type { ConnectionRemoval } from './removals.js';
import { workspaces } from './tenancy.js';
import type { SendsAgain } from './upkeep.js';

/** A configured output connector of a workspace. */
export const outputs = pgTable(
  'outputs',
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
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (t) => [index('outputs_workspace').on(t.workspaceId)],
);

/** Access tokens of outputs that use OAuth2, and the refresh tokens that partners replaced. */
export const outputTokens = pgTable('output_tokens', {
  outputId: uuid()
    .primaryKey()
    .references(() => outputs.id, { onDelete: 'cascade' }),
  /** Fingerprint of the credentials that it was asked for with: with others it means nothing. */
  basis: text().notNull(),
  /** SecretBox envelope of `{ accessToken, refreshToken? }`. */
  tokens: text().notNull(),
  expiresAt: moment().notNull(),
});

/**
 * removing: deleted here, and what it had sent is being removed at the partner; removed: that has come to its end. The
 * row stays to tell of it until its audience or output goes.
 */
export const CONNECTION_STATUSES = ['active', 'inactive', 'faulted', 'removing', 'removed'] as const;
/** Of connections that are there, so that what they sent stays at their partners. */
export const LIVE_STATUSES = ['active', 'inactive', 'faulted'] as const satisfies readonly ConnectionStatus[];
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number];

/** Audience (or one variant of it) → output. */
export const connections = pgTable(
  'connections',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    audienceId: bigint({ mode: 'number' })
      .notNull()
      .references(() => audiences.id, { onDelete: 'cascade' }),
    outputId: uuid()
      .notNull()
      .references(() => outputs.id, { onDelete: 'cascade' }),
    /** Null: the full audience. A variant outlives its test for as long as the audience is there. */
    variantId: uuid().references(() => abVariants.id, { onDelete: 'cascade' }),
    settings: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    /** Names of the attributes that go with the identities, as somebody chose them; none at first. */
    attributes: jsonb().$type<string[]>().notNull().default([]),
    status: text({ enum: CONNECTION_STATUSES }).notNull(),
    /** How often the audience was made anew at the partner because it was deleted there. */
    relinks: integer().notNull().default(0),
    /** What `create` answered at the partner; null until then. */
    externalId: text(),
    /** Whether `create` made that list, or found it there; null: nobody wrote it down. */
    listMade: boolean(),
    /** The partner has to be told another name; the next delivery does so, which is made for it if need be. */
    renamePending: boolean().notNull().default(false),
    /** Version the partner has; 0: nothing was sent. */
    deliveredVersion: integer().notNull().default(0),
    /** Up to which change of identities (`workspaces.identitySequence`) the partner has those of the members. */
    deliveredIdentities: bigint({ mode: 'number' }).notNull().default(0),
    /** What becomes, or became, of what it had sent; null until it is deleted. */
    removal: jsonb().$type<ConnectionRemoval>(),
    removingSince: moment(),
    removedAt: moment(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (t) => [
    index('connections_audience').on(t.audienceId),
    index('connections_output').on(t.outputId),
    // One that was removed may be made anew.
    uniqueIndex('connections_target')
      .on(t.audienceId, t.outputId, sql`coalesce(${t.variantId}, '00000000-0000-0000-0000-000000000000')`)
      .where(sql`status <> 'removed'`),
    index('connections_removing')
      .on(t.workspaceId)
      .where(sql`status = 'removing'`),
  ],
);

export const DELIVERY_STATES = ['queued', 'running', 'delivered', 'faulted', 'cancelled'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Not at their end; the index `deliveries_open` allows one such delivery a connection. */
export const OPEN_DELIVERY_STATES = [
  'queued',
  'running',
  'faulted',
] as const satisfies readonly DeliveryState[];

/** changes: brings a connection to a newer version; removal: takes away whom a deleted one had sent. */
export const DELIVERY_KINDS = ['changes', 'removal'] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];

/**
 * `add_identities`: members who stay are sent again because they learned identities; `add_again`: as they are, because
 * the partner is to have them anew.
 */
export const OPERATIONS = ['add', 'remove', 'replace', 'add_identities', 'add_again'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** `notBefore` of the delivery of a paused connection: nobody takes it until the connection is activated. */
export const PARKED_UNTIL = new Date('9999-01-01T00:00:00.000Z');

/** Where a delivery is: the operation under way and the last mpid that was dealt with. */
export interface DeliveryCursor {
  operation: Operation;
  /** Decimal string; null: from the start. */
  afterMpid: string | null;
  /** Parts of a `replace` written so far. */
  parts?: number;
  /**
   * Types of identities, by code, and attributes by which it was planned who learned something. What the connection sends
   * may be changed before it is through; whom it tells of it stays as planned.
   */
  learnedOf?: { codes: readonly number[]; attributes: readonly string[] };
}

/** One run that brings a connection from its delivered version to a newer one; the truth about that work. */
export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    connectionId: uuid()
      .notNull()
      .references(() => connections.id, { onDelete: 'cascade' }),
    kind: text({ enum: DELIVERY_KINDS }).notNull().default('changes'),
    fromVersion: integer().notNull(),
    toVersion: integer().notNull(),
    /** Changes of identities that go out for members who stay: after the first, up to the second. */
    fromIdentities: bigint({ mode: 'number' }).notNull().default(0),
    toIdentities: bigint({ mode: 'number' }).notNull().default(0),
    /** Null: it sends what changed, and nothing again. */
    sendsAgain: jsonb().$type<SendsAgain>(),
    state: text({ enum: DELIVERY_STATES }).notNull().default('queued'),
    cursor: jsonb().$type<DeliveryCursor>().notNull().default({ operation: 'add', afterMpid: null }),
    /** planned = accepted + rejected + skipped once delivered. */
    planned: integer(),
    accepted: integer().notNull().default(0),
    rejected: integer().notNull().default(0),
    skipped: integer().notNull().default(0),
    /** Failed tries in a row of the batch at the cursor; 0 after each success. */
    failures: integer().notNull().default(0),
    firstFailureAt: moment(),
    error: jsonb().$type<{ kind: FaultKind; code: string; message: string }>(),
    /** Since when something of it may have reached the partner; null: nothing has, for sure. */
    touchedAt: moment(),
    ...leaseColumns(),
    createdAt: createdAt(),
    startedAt: moment(),
    finishedAt: moment(),
    /** When its batches and jobs were deleted for their age; the counts stay. */
    outcomesForgottenAt: moment(),
  },
  (t) => [
    // Nobody is lost between plan and outcome, or it does not count as delivered.
    check(
      'deliveries_balance',
      sql`state <> 'delivered' or (planned is not null and planned = accepted + rejected + skipped)`,
    ),
    index('deliveries_state').on(t.state, t.notBefore),
    // One open delivery a connection: two schedulers or workers cannot begin the same change twice.
    uniqueIndex('deliveries_open')
      .on(t.connectionId)
      .where(sql`state in ('queued', 'running', 'faulted')`),
    index('deliveries_connection').on(t.connectionId, t.createdAt),
    ...turnIndexes('deliveries', t),
  ],
);

/** Why one member did not get to the partner. */
export interface MemberOutcome {
  /** Null: the partner did not say who; `count` says how many. */
  mpid: string | null;
  /** Members that it stands for; 1 where absent. */
  count?: number;
  status: 'rejected' | 'skipped';
  code: string;
  message: string;
}

/**
 * What became of one range of members, written together with the cursor in one transaction. Everybody from `firstMpid` to
 * `lastMpid` who is not in `exceptions` was accepted. Batches one after another that were accepted whole stand in one row,
 * under the id of the first.
 */
export const deliveryBatches = pgTable(
  'delivery_batches',
  {
    deliveryId: uuid()
      .notNull()
      .references(() => deliveries.id, { onDelete: 'cascade' }),
    position: integer().notNull(),
    operation: text({ enum: OPERATIONS }).notNull(),
    batchId: text().notNull(),
    /** How many stand in this row. */
    batches: integer().notNull().default(1),
    firstMpid: bigint({ mode: 'bigint' }).notNull(),
    lastMpid: bigint({ mode: 'bigint' }).notNull(),
    accepted: integer().notNull(),
    rejected: integer().notNull(),
    skipped: integer().notNull(),
    exceptions: jsonb().$type<MemberOutcome[]>().notNull().default([]),
    sentAt: createdAt(),
  },
  (t) => [unique('delivery_batches_position').on(t.deliveryId, t.operation, t.lastMpid)],
);

/** Batches that a partner took as jobs of its own, written down before the first look at them. */
export const deliveryJobs = pgTable(
  'delivery_jobs',
  {
    deliveryId: uuid()
      .notNull()
      .references(() => deliveries.id, { onDelete: 'cascade' }),
    batchId: text().notNull(),
    /** The partner's id. */
    jobId: text().notNull(),
    members: integer().notNull(),
    createdAt: createdAt(),
    /** Null: the members wait for the partner. */
    answeredAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.deliveryId, t.batchId] }),
    // Every delivery asks for those of its connection, and there are next to none.
    index('delivery_jobs_open')
      .on(t.deliveryId)
      .where(sql`answered_at is null`),
  ],
);

/** Why a connection is stopped or degraded. */
export const faults = pgTable(
  'faults',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    connectionId: uuid()
      .notNull()
      .references(() => connections.id, { onDelete: 'cascade' }),
    deliveryId: uuid(),
    kind: text().$type<FaultKind>().notNull(),
    code: text().notNull(),
    message: text().notNull(),
    detail: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    raisedAt: createdAt(),
    resolvedAt: moment(),
    /** Name of the API key that resumed, or `probe`. */
    resolvedBy: text(),
    /** Half-open probes so far, and when the next one is due (retryable faults only). */
    probes: integer().notNull().default(0),
    nextProbeAt: moment(),
  },
  (t) => [
    index('faults_connection').on(t.connectionId, t.resolvedAt),
    index('faults_workspace').on(t.workspaceId),
  ],
);
