import { bigserial, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { createdAt } from './columns.js';

/** Who did something: an API key, somebody who logged in, whoever had a signed link or no key at all, or the hub by itself. */
export const AUDIT_ACTORS = ['key', 'user', 'link', 'anonymous', 'system'] as const;
export type AuditActorKind = (typeof AUDIT_ACTORS)[number];

/** done: it took effect; refused: the caller may not or asked for something that cannot be; failed: the hub did. */
export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** What a field was and is, or only that it changed, where its value is nobody's business. */
export type AuditChanges = Record<string, { from?: unknown; to?: unknown } | 'changed'>;

/**
 * What happened, by whom. Rows are only ever added, and deleted when their time is over: a trigger refuses
 * updates. Nothing refers to them and they refer to nothing, so that they outlive what they tell of.
 */
export const auditEvents = pgTable(
  'audit_events',
  {
    sequence: bigserial({ mode: 'number' }).primaryKey(),
    at: createdAt(),
    /** Null: a matter of the whole hub. */
    organizationId: uuid(),
    /** Null: a matter of the organization. */
    workspaceId: uuid(),
    actorKind: text({ enum: AUDIT_ACTORS }).notNull(),
    /** Id of the API key. */
    actorId: uuid(),
    /** Name that the API key had. */
    actorName: text(),
    /** The person whose key it is. */
    userId: uuid(),
    requestId: uuid(),
    /** `output.create`, `import.published`. */
    action: text().notNull(),
    objectType: text().notNull(),
    objectId: text(),
    outcome: text({ enum: AUDIT_OUTCOMES }).notNull(),
    /** Code of the error, where it did not take effect. */
    code: text(),
    changes: jsonb().$type<AuditChanges>().notNull().default({}),
  },
  (t) => [
    index('audit_events_at').on(t.at),
    index('audit_events_organization').on(t.organizationId, t.sequence),
    index('audit_events_workspace').on(t.workspaceId, t.sequence),
  ],
);
