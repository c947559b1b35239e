import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { HubError } from '../../../domain/errors/index.js';
import { ACCESS, type AccessRule } from './access.decorator.js';
import { KeyAuthenticator } from './key-authenticator.js';
import { reaches, type RequestWithPrincipal } from './principal.js';

/** Stands before every route: without an access rule a route is closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: KeyAuthenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rule = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (rule === 'public') return true;
    const request = context.switchToHttp().getRequest<RequestWithPrincipal>();
    const principal = await this.keys.authenticate(request.headers.authorization);
    // Refusals are noted too, with who was refused.
    request.principal = principal;
    if (rule === undefined) {
      throw new HubError('FORBIDDEN', 'This call has no access rule, so nobody may use it.');
    }
    if (!reaches(principal.role, rule)) {
      throw new HubError(
        'FORBIDDEN',
        `This call needs the role ${rule}; the API key has the role ${principal.role}.`,
      );
    }
    return true;
  }
}
