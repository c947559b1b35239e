import { applyDecorators, SetMetadata, type CustomDecorator } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import type { Role } from '../../../platform/database/index.js';

export const ACCESS = 'hub:access';

/** What a route asks of its caller. */
export type AccessRule = Role | 'public';

/**
 * The least role a key needs for the route. viewer reads; editor changes inputs, outputs, connections and
 * audiences, releases imports and resumes faults; admin also changes keys, users, workspaces and
 * organizations. A route without a rule answers nobody.
 */
export function Access(role: Role): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(ACCESS, role), ApiBearerAuth());
}

/** A route for everybody, or one that checks its caller in its own way (signed links, webhooks). */
export const Public = (): CustomDecorator => SetMetadata(ACCESS, 'public' satisfies AccessRule);
