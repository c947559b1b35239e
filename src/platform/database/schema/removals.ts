import { bigint, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { RemovalPlan } from '../../../domain/removal/index.js';
import type { FaultKind } from '../../../kit/index.js';
import { moment } from './columns.js';
import { workspaces } from './tenancy.js';

/**
 * How a removal ended: everybody is out (removed), the partner refused some or nobody could be taken out (stays), an
 * admin gave up on it (given_up), or nothing had been sent (never_sent).
 */
export const REMOVAL_OUTCOMES = ['removed', 'stays', 'given_up', 'never_sent'] as const;
export type RemovalOutcome = (typeof REMOVAL_OUTCOMES)[number];

/** What becomes of what a deleted connection had sent. */
export interface ConnectionRemoval {
  /** Name of the API key or user that deleted it. */
  requestedBy: string;
  /** What is, or was, to be done; null where the output cannot be asked as it is configured. */
  plan: RemovalPlan | null;
  /** What stays at the partner, and why, in sentences. */
  stays: string[];
  /** Connections to the same list at the partner, which keep their members there. */
  sharedWith: string[];
  /** Null: it is under way. */
  outcome: RemovalOutcome | null;
}

/** A connection that went with its audience, as it was seen last. Moments are ISO 8601. */
export interface GoneConnection {
  id: string;
  /** The output's name. */
  output: string;
  /** The variant's name; absent: the full audience. */
  variant?: string;
  status: 'removing' | 'removed';
  removal: ConnectionRemoval & { since: string | null; finishedAt: string | null };
  /** Of the delivery that takes people out; null: there is none. */
  counts: { planned: number | null; accepted: number; rejected: number; skipped: number } | null;
  /** What stops the removal, or was refused at its end. */
  fault: { id: string; kind: FaultKind; code: string; message: string; raisedAt: string } | null;
}

/**
 * A deleted audience, for those who want to know what became of it at the partners: its own row goes once everybody is
 * out, and with it those of its connections.
 */
export const audienceRemovals = pgTable(
  'audience_removals',
  {
    audienceId: bigint({ mode: 'number' }).primaryKey(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    /** Name of the API key or user. */
    deletedBy: text().notNull(),
    deletedAt: moment().notNull(),
    /** Those of the deletion; while the audience's row is there, the connections themselves say more. */
    connections: jsonb().$type<GoneConnection[]>().notNull(),
  },
  (t) => [index('audience_removals_workspace').on(t.workspaceId)],
);
