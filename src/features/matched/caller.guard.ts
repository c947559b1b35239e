import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { eq } from 'drizzle-orm';
import { HubError } from '../../domain/errors/index.js';
import { organizations, type Database } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import type { Organization, Principal, RequestWithPrincipal } from '../tenancy/index.js';
import { RequestBudget } from './limits/request-budget.js';
import { owIdOf } from './ow-id.js';

/** Who calls IQM's API, and for which workspace. */
export interface Caller {
  principal: Principal;
  workspaceId: string;
  organization: Organization;
  /** The organization's id in IQM's API. */
  owId: number;
}

interface RequestWithCaller extends RequestWithPrincipal {
  caller?: Caller;
}

/**
 * Stands behind the access guard at every call of IQM's API: holds the X-IAA-OW-ID header against the workspace of the
 * access token (or of the API key, which must be one of a workspace), and takes the call out of the caller's minute.
 */
@Injectable()
export class CallerGuard implements CanActivate {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly budget: RequestBudget,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<RequestWithCaller>();
    const { principal } = request;
    if (principal?.scope.kind !== 'workspace') {
      throw new HubError('FORBIDDEN', 'This call needs an access token, or an API key of one workspace.');
    }
    await this.budget.take(`matched:${principal.user?.id ?? principal.keyId}:${principal.scope.workspaceId}`);
    const [organization] = await this.db
      .select()
      .from(organizations)
      .where(eq(organizations.id, principal.scope.organizationId));
    const owId = organization && owIdOf(organization);
    if (!organization || owId === undefined || request.headers['x-iaa-ow-id'] !== String(owId)) {
      throw new HubError(
        'FORBIDDEN',
        'The X-IAA-OW-ID header is missing or names another organization. Send the owId of the log-in.',
      );
    }
    request.caller = { principal, workspaceId: principal.scope.workspaceId, organization, owId };
    return true;
  }
}

/** The caller of the request: `@CurrentCaller() caller: Caller`. Behind {@link CallerGuard} only. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<RequestWithCaller>();
  if (!caller) throw new HubError('UNAUTHENTICATED', 'This call needs an access token.');
  return caller;
});
