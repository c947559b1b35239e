import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { HubError } from '../../../domain/errors/index.js';
import type { Role } from '../../../platform/database/index.js';

/** How much of the hub a key reaches. A workspace's scope names its organization too. */
export type Scope =
  | { kind: 'hub' }
  | { kind: 'organization'; organizationId: string }
  | { kind: 'workspace'; organizationId: string; workspaceId: string };

/** Who makes a request: an API key, or the access token of a user. */
export interface Principal {
  keyId: string;
  /** The person, where the key or token is one person's. */
  userId?: string;
  /** Name of the key or the user, for `resolvedBy` and the log. */
  name: string;
  role: Role;
  scope: Scope;
  /** Who logged in, where the request came with an access token. */
  user?: { id: string; name: string; email: string; number: number };
}

/** The request as the guard leaves it. */
export interface RequestWithPrincipal extends Request {
  principal?: Principal;
}

/** Weakest first: a role may do what the ones before it may. */
const RANKS: readonly Role[] = ['viewer', 'editor', 'admin'];

/** True where `role` may do what needs `needed`. */
export function reaches(role: Role, needed: Role): boolean {
  return RANKS.indexOf(role) >= RANKS.indexOf(needed);
}

/** The key of the request: `@CurrentPrincipal() principal: Principal`. Not for public routes. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<RequestWithPrincipal>();
  if (!principal) throw new HubError('UNAUTHENTICATED', 'This call needs an API key.');
  return principal;
});
