import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request } from 'express';
import { from, mergeMap, type Observable } from 'rxjs';
import { currentRequest, recordAudit } from '../../platform/audit/index.js';
import type { AuditChanges, Database } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import type { RequestWithPrincipal } from '../tenancy/index.js';
import { auditedRoute, mayChange, tenantOfPath, type AuditedTenant } from './audited-route.js';

/** Body fields that a row names at most. */
const MAX_FIELDS = 50;
/** What is named otherwise is data. */
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/**
 * Sees to it that every call that changes something leaves a row. Where the feature noted nothing in the
 * transaction of its change, the call itself is noted, with the names of the fields it gave.
 */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(@InjectDatabase() private readonly db: Database) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<RequestWithPrincipal>();
    if (!mayChange(request.method)) return next.handle();
    // Before the call: afterwards the thing may be gone.
    const path = pathOf(request);
    const id = idOf(request);
    const tenant = id === undefined ? {} : await tenantOfPath(this.db, path, id);
    return next.handle().pipe(mergeMap((answer) => from(this.noted(request, tenant, answer))));
  }

  private async noted(
    request: RequestWithPrincipal,
    tenant: AuditedTenant,
    answer: unknown,
  ): Promise<unknown> {
    if (currentRequest()?.noted) return answer;
    const { id } = fieldsOf(answer);
    const route = auditedRoute(request.method, pathOf(request), idOf(request) ?? textOf(id));
    await recordAudit(this.db, {
      ...route,
      ...scopeOf(request),
      ...named(answer),
      ...named(tenant),
      changes: namesOf(request.body),
    });
    return answer;
  }
}

/** The route's own path, as it is declared. */
export function pathOf(request: Request): string {
  const { path } = (request.route ?? {}) as { path?: unknown };
  return typeof path === 'string' ? path : request.path;
}

export function idOf({ params }: Request): string | undefined {
  return textOf(params.id);
}

export function scopeOf({ principal }: RequestWithPrincipal): AuditedTenant {
  const scope = principal?.scope;
  return {
    workspaceId: scope?.kind === 'workspace' ? scope.workspaceId : null,
    organizationId: scope === undefined || scope.kind === 'hub' ? null : scope.organizationId,
  };
}

/** Workspace and organization of what was answered, where it has them. */
function named(thing: unknown): { workspaceId?: string; organizationId?: string } {
  const { workspaceId, organizationId } = fieldsOf(thing);
  return {
    ...(typeof workspaceId === 'string' ? { workspaceId, organizationId: undefined } : {}),
    ...(typeof organizationId === 'string' ? { organizationId } : {}),
  };
}

function namesOf(body: unknown): AuditChanges {
  return Object.fromEntries(
    Object.keys(fieldsOf(body))
      .filter((field) => FIELD_NAME.test(field))
      .slice(0, MAX_FIELDS)
      .map((field) => [field, 'changed' as const]),
  );
}

function fieldsOf(thing: unknown): Record<string, unknown> {
  return typeof thing === 'object' && thing !== null && !Array.isArray(thing) && !ArrayBuffer.isView(thing)
    ? (thing as Record<string, unknown>)
    : {};
}

function textOf(id: unknown): string | undefined {
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}
