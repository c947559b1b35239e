import { Injectable } from '@nestjs/common';
import { and, desc, eq, gte, inArray, lt, or, sql, type SQL } from 'drizzle-orm';
import type { Clock } from '../../platform/clock/index.js';
import { auditEvents, type Database } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import { InjectClock, InjectConfig, InjectDatabase } from '../../platform/nest/index.js';
import { readPage, type Page } from '../http/index.js';
import type { Principal } from '../tenancy/index.js';
import type { AuditEvent, AuditQuery } from './audit.dto.js';

/** Rows read at once for a file, and deleted at once. */
const CHUNK = 5000;
const DAY_MS = 86_400_000;

/** Reads the audit log, and lets go of what is older than it is to be kept. */
@Injectable()
export class AuditService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    @InjectConfig() private readonly config: Pick<Config, 'auditDays'>,
  ) {}

  /** Newest first. */
  async list(principal: Principal, query: AuditQuery): Promise<Page<AuditEvent>> {
    const where = conditionOf(principal, query);
    return readPage(query, this.db.$count(auditEvents, where), (limit, offset) =>
      this.db
        .select()
        .from(auditEvents)
        .where(where)
        .orderBy(desc(auditEvents.sequence))
        .limit(limit)
        .offset(offset),
    );
  }

  /** The same without paging, some rows at a time. */
  async *all(principal: Principal, query: AuditQuery): AsyncGenerator<AuditEvent> {
    let before: number | undefined;
    for (;;) {
      const older = before === undefined ? undefined : lt(auditEvents.sequence, before);
      const rows = await this.db
        .select()
        .from(auditEvents)
        .where(and(conditionOf(principal, query), older))
        .orderBy(desc(auditEvents.sequence))
        .limit(CHUNK);
      yield* rows;
      before = rows.at(-1)?.sequence;
      if (rows.length < CHUNK || before === undefined) return;
    }
  }

  /** Deletes what is older than HUB_AUDIT_DAYS; returns how many rows. May be cut off and run again. */
  async forget(signal: AbortSignal): Promise<number> {
    const { auditDays } = this.config;
    if (auditDays === undefined) return 0;
    const oldest = new Date(this.clock.now().getTime() - auditDays * DAY_MS);
    for (let forgotten = 0; ;) {
      if (signal.aborted) return forgotten;
      const old = this.db
        .select({ sequence: auditEvents.sequence })
        .from(auditEvents)
        .where(lt(auditEvents.at, oldest))
        .limit(CHUNK);
      const gone = await this.db
        .delete(auditEvents)
        .where(inArray(auditEvents.sequence, old))
        .returning({ sequence: auditEvents.sequence });
      forgotten += gone.length;
      if (gone.length < CHUNK) return forgotten;
    }
  }
}

function conditionOf(principal: Principal, query: AuditQuery): SQL | undefined {
  const { workspaceId, organizationId, actorId, actorKind, action, objectType, objectId, outcome } = query;
  return and(
    visibleTo(principal),
    workspaceId ? eq(auditEvents.workspaceId, workspaceId) : undefined,
    organizationId ? eq(auditEvents.organizationId, organizationId) : undefined,
    actorId ? or(eq(auditEvents.actorId, actorId), eq(auditEvents.userId, actorId)) : undefined,
    actorKind ? eq(auditEvents.actorKind, actorKind) : undefined,
    action
      ? or(eq(auditEvents.action, action), sql`starts_with(${auditEvents.action}, ${`${action}.`})`)
      : undefined,
    objectType ? eq(auditEvents.objectType, objectType) : undefined,
    objectId ? eq(auditEvents.objectId, objectId) : undefined,
    outcome ? eq(auditEvents.outcome, outcome) : undefined,
    query.from ? gte(auditEvents.at, new Date(query.from)) : undefined,
    query.to ? lt(auditEvents.at, new Date(query.to)) : undefined,
  );
}

/** By the row's own columns: the workspace it names may be gone. */
function visibleTo({ scope }: Principal): SQL | undefined {
  switch (scope.kind) {
    case 'hub':
      return undefined;
    case 'organization':
      return eq(auditEvents.organizationId, scope.organizationId);
    case 'workspace':
      return eq(auditEvents.workspaceId, scope.workspaceId);
  }
}
