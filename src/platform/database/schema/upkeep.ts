import { index, integer, jsonb, pgTable, uuid } from 'drizzle-orm/pg-core';
import type { ToldDifference } from '../../../domain/reconciliation/index.js';
import { moment } from './columns.js';
import { connections } from './connections.js';
import { workspaces } from './tenancy.js';

/** What comparing the partner's count with the hub's came to. */
export interface Reconciliation {
  /** `uncounted`: the partner told none, for the reason of `problem`. */
  verdict: 'agrees' | 'fewer' | 'more' | 'uncounted';
  /** What both counts are of. */
  of: 'members' | 'identities' | 'matched';
  /** Version that the hub counted, which the partner has. */
  version: number;
  hub: number | null;
  partner: number | null;
  /** How far both may be apart; of that, `settling` were sent so shortly before that the count may not show them. */
  tolerance: number | null;
  settling: number;
  lagMs: number;
  /** What is to be said of it; null: all is well. */
  problem: { code: string; message: string } | null;
  /** The difference that admins were last told of; null: of none since the counts agreed. */
  told: ToldDifference | null;
}

/** What a delivery sends besides changes: members who stay, once again; one of both. */
export interface SendsAgain {
  /** All of them: the number of the backfill that somebody asked for. */
  backfill?: number;
  /** Those of slices, before the partner forgets them. */
  heartbeat?: {
    /** Only who was a member at this version already: all others were added a short time ago. */
    since: number;
    /** Start of the slot that it is for, by slice. */
    slots: Record<string, number>;
  };
}

/** Where the heartbeats of a connection are whose partner forgets members. */
export interface Heartbeats {
  /** When the hub first saw that it does. Milliseconds since 1970, as the slots are. */
  sinceMs: number;
  /** Start of the newest slot that was dealt with, by slice. */
  slots: Record<string, number>;
}

/** What is looked after at the partner of a connection, beside its deliveries. One row a connection, made when needed. */
export const connectionUpkeep = pgTable(
  'connection_upkeep',
  {
    connectionId: uuid()
      .primaryKey()
      .references(() => connections.id, { onDelete: 'cascade' }),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    reconciledAt: moment(),
    reconciliation: jsonb().$type<Reconciliation>(),
    /** How often somebody asked for a backfill, and up to which time it was done: several before it begins are one. */
    backfillsWanted: integer().notNull().default(0),
    backfillsDone: integer().notNull().default(0),
    heartbeats: jsonb().$type<Heartbeats>(),
  },
  (t) => [index('connection_upkeep_workspace').on(t.workspaceId)],
);
