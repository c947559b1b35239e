import type { ErrorCode } from '../../domain/errors/index.js';
import { currentRequest, recordAudit } from '../../platform/audit/index.js';
import type { Database } from '../../platform/database/index.js';
import type { RequestWithPrincipal } from '../tenancy/index.js';
import { idOf, pathOf, scopeOf } from './audit.interceptor.js';
import { auditedRoute, mayChange } from './audited-route.js';

/**
 * Notes a call of somebody known that was to change something and did not. It stands under the caller's own scope:
 * what they named may be somebody else's. Calls of nobody known leave no row, or anybody could fill the disk.
 */
export async function recordRefusal(
  db: Database,
  request: RequestWithPrincipal,
  code: ErrorCode,
  status: number,
): Promise<void> {
  const actor = currentRequest()?.actor.kind;
  if (!mayChange(request.method) || (actor !== 'key' && actor !== 'user')) return;
  await recordAudit(db, {
    ...auditedRoute(request.method, pathOf(request), idOf(request)),
    ...scopeOf(request),
    outcome: status >= 500 ? 'failed' : 'refused',
    code,
  });
}
