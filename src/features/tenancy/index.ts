export { Access, ACCESS, Public, type AccessRule } from './access/access.decorator.js';
export { KeyAuthenticator } from './access/key-authenticator.js';
export {
  CurrentPrincipal,
  reaches,
  type Principal,
  type RequestWithPrincipal,
  type Scope,
} from './access/principal.js';
export { ensureAdminKey } from './api-keys/admin-key.js';
export {
  requireHubScope,
  requireWiderScope,
  scopedTo,
  scopedToOrganization,
  WorkspaceScope,
  type Organization,
  type Workspace,
} from './scope.js';
export { AccessTokens, type IssuedTokens } from './tokens/access-tokens.js';
export { LogInService, type ApiClient, type LogInResult } from './tokens/log-in.service.js';
export { TenancyModule } from './tenancy.module.js';
export type { User } from './users/users.dto.js';
export { UsersService } from './users/users.service.js';
