import { index, integer, jsonb, pgTable, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id, moment } from './columns.js';
import { connections, type Operation } from './connections.js';
import { workspaces } from './tenancy.js';
import type { SendsAgain } from './upkeep.js';

/** The state that a plan was made on. Where anything of it is another, the plan is stale. */
export interface PlanBasis {
  deliveredVersion: number;
  audienceVersion: number;
  /** Changes of identities that are sent for members who stay: after the first, up to the second. */
  identities: { after: number; upTo: number };
  /** The open delivery and how many members it had dealt with. */
  underWay: { id: string; toVersion: number; done: number; left: number | null } | null;
  /** Members who stay and are sent again; absent in plans of an older hub. */
  again?: SendsAgain | null;
  pluginVersion: string;
  /** Fingerprints: of the names that make the partner's, of settings and attributes, of settings and credentials. */
  names: string;
  connectionSettings: string;
  output: string;
}

/** What one operation of a delivery will come to. */
export interface PlannedOperation {
  operation: Operation;
  members: number;
  /** Members that will not be sent, by the code of their outcome. */
  skipped: { code: string; members: number }[];
  /** Members with an identity of the type. */
  identities: { type: string; members: number }[];
  /** Batches. */
  requests: number;
}

/** What a delivery will come to. */
export interface PlanFigures {
  operations: PlannedOperation[];
  /** Calls of the partner, those that make or finish the audience too. */
  requests: number;
  /** Null: nothing is known of the partner's pace. */
  estimatedSeconds: number | null;
}

/** Deliveries that were looked at before they are made. */
export const deliveryPlans = pgTable(
  'delivery_plans',
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    connectionId: uuid()
      .notNull()
      .references(() => connections.id, { onDelete: 'cascade' }),
    fromVersion: integer().notNull(),
    toVersion: integer().notNull(),
    basis: jsonb().$type<PlanBasis>().notNull(),
    figures: jsonb().$type<PlanFigures>().notNull(),
    createdAt: createdAt(),
    expiresAt: moment().notNull(),
    appliedAt: moment(),
    /** The delivery that applying it made; null: there was nothing to send, or it went on with the one under way. */
    deliveryId: uuid(),
  },
  (t) => [index('delivery_plans_connection').on(t.connectionId, t.createdAt)],
);
