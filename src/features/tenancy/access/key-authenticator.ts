import { Injectable } from '@nestjs/common';
import { and, eq, isNull, lt, or } from 'drizzle-orm';
import { HubError } from '../../../domain/errors/index.js';
import { actAs } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import { hashApiKey } from '../../../platform/crypto/index.js';
import { apiKeys, workspaces, type Database } from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase } from '../../../platform/nest/index.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import type { Principal, Scope } from './principal.js';

/** `lastUsedAt` is written at most this often, so that reading stays reading. */
const LAST_USED_STEP_MS = 60_000;

/** Finds the principal of an API key or an access token. */
@Injectable()
export class KeyAuthenticator {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    private readonly tokens: AccessTokens,
  ) {}

  /**
   * The principal of an Authorization header; throws UNAUTHENTICATED. Keys are found by their SHA-256, so
   * the time of the look-up says nothing of a stored key.
   */
  async authenticate(authorization: string | undefined): Promise<Principal> {
    const key = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (!key) {
      throw new HubError('UNAUTHENTICATED', 'Send an API key in the header: Authorization: Bearer <key>.');
    }
    const [row] = await this.db
      .select({ key: apiKeys, workspaceOrganizationId: workspaces.organizationId })
      .from(apiKeys)
      .leftJoin(workspaces, eq(workspaces.id, apiKeys.workspaceId))
      .where(and(eq(apiKeys.hash, hashApiKey(key)), isNull(apiKeys.revokedAt)));
    if (!row) return this.userOf(key);
    await this.noteUse(row.key.id, row.key.lastUsedAt);
    actAs({ kind: 'key', id: row.key.id, name: row.key.name, userId: row.key.userId ?? undefined });
    return {
      keyId: row.key.id,
      ...(row.key.userId ? { userId: row.key.userId } : {}),
      name: row.key.name,
      role: row.key.role,
      scope: scopeOf(row.key, row.workspaceOrganizationId),
    };
  }

  private async userOf(token: string): Promise<Principal> {
    const principal = await this.tokens.principalOf(token);
    if (principal) {
      actAs({ kind: 'user', userId: principal.userId });
      return principal;
    }
    throw new HubError(
      'UNAUTHENTICATED',
      'The API key or access token is not known here, was revoked, or has expired.',
    );
  }

  private async noteUse(id: string, lastUsedAt: Date | null): Promise<void> {
    const now = this.clock.now();
    const before = new Date(now.getTime() - LAST_USED_STEP_MS);
    if (lastUsedAt && lastUsedAt > before) return;
    const stale = or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, before));
    await this.db
      .update(apiKeys)
      .set({ lastUsedAt: now })
      .where(and(eq(apiKeys.id, id), stale));
  }
}

function scopeOf(key: typeof apiKeys.$inferSelect, workspaceOrganizationId: string | null): Scope {
  if (key.workspaceId && workspaceOrganizationId) {
    return { kind: 'workspace', organizationId: workspaceOrganizationId, workspaceId: key.workspaceId };
  }
  if (key.organizationId) return { kind: 'organization', organizationId: key.organizationId };
  return { kind: 'hub' };
}
