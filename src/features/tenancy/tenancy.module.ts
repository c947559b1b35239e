import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access/access.guard.js';
import { KeyAuthenticator } from './access/key-authenticator.js';
import { ApiClientsController } from './api-clients/api-clients.controller.js';
import { ApiClientsService } from './api-clients/api-clients.service.js';
import { ApiKeysController } from './api-keys/api-keys.controller.js';
import { ApiKeysService } from './api-keys/api-keys.service.js';
import { OrganizationsController } from './organizations/organizations.controller.js';
import { OrganizationsService } from './organizations/organizations.service.js';
import { WorkspaceScope } from './scope.js';
import { AccessTokens } from './tokens/access-tokens.js';
import { LogInService } from './tokens/log-in.service.js';
import { UsersController } from './users/users.controller.js';
import { UsersService } from './users/users.service.js';
import { WorkspacesController } from './workspaces/workspaces.controller.js';
import { WorkspacesService } from './workspaces/workspaces.service.js';

/** Who there is, and who may see what. Features import it to get {@link WorkspaceScope}. */
@Module({
  controllers: [
    OrganizationsController,
    WorkspacesController,
    UsersController,
    ApiKeysController,
    ApiClientsController,
  ],
  providers: [
    KeyAuthenticator,
    WorkspaceScope,
    OrganizationsService,
    WorkspacesService,
    UsersService,
    ApiKeysService,
    ApiClientsService,
    AccessTokens,
    LogInService,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [WorkspaceScope, KeyAuthenticator, AccessTokens, LogInService, UsersService],
})
export class TenancyModule {}
