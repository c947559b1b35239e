import { sql } from 'drizzle-orm';
import {
  auditEvents,
  workspaces,
  type AuditChanges,
  type AuditOutcome,
  type Database,
  type Transaction,
} from '../database/index.js';
import { currentRequest } from './request-context.js';

/** Something that happened. */
export interface AuditEntry {
  /** `output.create`, `import.published`. */
  action: string;
  object: { type: string; id?: string | number };
  /** Of a workspace's matters; its organization is found by it. */
  workspaceId?: string | null;
  /** Of an organization's matters, and where the workspace may be gone. */
  organizationId?: string | null;
  outcome?: AuditOutcome;
  code?: string;
  /** No secrets and no personal data: see {@link changesOf}. */
  changes?: AuditChanges;
  /** One of many effects of a call, which leaves a row of its own besides. */
  byTheWay?: true;
}

/**
 * Notes what happened. Give the transaction of the change: then there is a row exactly where the change was
 * made. Who did it is found by the request that this is part of.
 */
export async function recordAudit(db: Database | Transaction, entry: AuditEntry): Promise<void> {
  const request = currentRequest();
  const actor = request?.actor ?? { kind: 'system' as const };
  const { workspaceId = null, organizationId = null, object } = entry;
  await db.insert(auditEvents).values({
    organizationId:
      organizationId ??
      (workspaceId &&
        sql`(select ${workspaces.organizationId} from ${workspaces} where ${workspaces.id} = ${workspaceId}::uuid)`),
    workspaceId,
    actorKind: actor.kind,
    actorId: actor.id ?? null,
    actorName: actor.name ?? null,
    userId: actor.userId ?? null,
    requestId: request?.id ?? null,
    action: entry.action,
    objectType: object.type,
    objectId: object.id === undefined ? null : String(object.id),
    outcome: entry.outcome ?? 'done',
    code: entry.code ?? null,
    changes: entry.changes ?? {},
  });
  if (request && !entry.byTheWay) request.noted = true;
}
