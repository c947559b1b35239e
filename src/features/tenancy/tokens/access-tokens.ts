import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { and, eq, gt, isNull, lt } from 'drizzle-orm';
import { HubError } from '../../../domain/errors/index.js';
import { actAs, recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import { hashApiKey } from '../../../platform/crypto/index.js';
import {
  accessTokens,
  organizations,
  users,
  workspaces,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase } from '../../../platform/nest/index.js';
import type { Principal } from '../access/principal.js';

/** "API access token expiry is 24 hours after generation." */
export const ACCESS_TOKEN_SECONDS = 24 * 3600;
const REFRESH_TOKEN_DAYS = 30;

/** What a log-in gives. The tokens are shown once; the hub keeps their SHA-256. */
export interface IssuedTokens {
  accessToken: string;
  refreshToken: string;
  expiresInSeconds: number;
}

/** Whose a log-in is: a user's, to one workspace, by one API client. */
export interface LogIn {
  userId: string;
  workspaceId: string;
  clientId: string;
}

/** Opaque access tokens of users, and the refresh tokens that replace them. Random, so a plain hash keeps them safe. */
@Injectable()
export class AccessTokens {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
  ) {}

  /** Tokens for a new log-in. */
  issue(logIn: LogIn): Promise<IssuedTokens> {
    const { userId, workspaceId } = logIn;
    actAs({ kind: 'user', userId });
    return this.db.transaction(async (tx) => {
      await recordAudit(tx, { action: 'user.log-in', object: { type: 'user', id: userId }, workspaceId });
      return this.insert(tx, { ...logIn, family: randomUUID() });
    });
  }

  /**
   * Replaces both tokens of a log-in. A refresh token is good once: where it comes again somebody has a copy, and the
   * whole log-in ends. Undefined where it opens nothing (any more) or belongs to another client.
   */
  async refresh(
    clientId: string,
    refreshToken: string,
  ): Promise<{ logIn: LogIn; tokens: IssuedTokens } | undefined> {
    const refreshHash = hashApiKey(refreshToken);
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .select()
        .from(accessTokens)
        .where(and(eq(accessTokens.refreshHash, refreshHash), eq(accessTokens.clientId, clientId)))
        .for('update');
      const now = this.clock.now();
      if (!row || row.revokedAt || row.refreshExpiresAt <= now) return undefined;
      if (row.refreshedAt) {
        await this.endFamily(tx, row.family);
        return undefined;
      }
      await tx
        .update(accessTokens)
        .set({ refreshedAt: now, accessExpiresAt: now })
        .where(eq(accessTokens.id, row.id));
      const { userId, workspaceId, family } = row;
      const tokens = await this.insert(tx, { userId, workspaceId, clientId, family });
      return { logIn: { userId, workspaceId, clientId }, tokens };
    });
  }

  /** Whose request it is, or undefined where the token is none, expired or logged out. */
  async principalOf(token: string): Promise<Principal | undefined> {
    const [row] = await this.db
      .select({ token: accessTokens, user: users, workspace: workspaces, organization: organizations })
      .from(accessTokens)
      .innerJoin(users, eq(users.id, accessTokens.userId))
      .innerJoin(workspaces, eq(workspaces.id, accessTokens.workspaceId))
      .innerJoin(organizations, eq(organizations.id, workspaces.organizationId))
      .where(
        and(
          eq(accessTokens.accessHash, hashApiKey(token)),
          isNull(accessTokens.revokedAt),
          gt(accessTokens.accessExpiresAt, this.clock.now()),
        ),
      );
    if (!row) return undefined;
    if (row.organization.hold) throw new HubError('ACCOUNT_ON_HOLD', row.organization.hold.reason);
    return {
      keyId: row.token.id,
      userId: row.user.id,
      name: row.user.name,
      role: row.user.role,
      scope: {
        kind: 'workspace',
        organizationId: row.workspace.organizationId,
        workspaceId: row.workspace.id,
      },
      user: { id: row.user.id, name: row.user.name, email: row.user.email, number: row.user.number },
    };
  }

  /** Ends the log-in that an access token (its row's id) belongs to. */
  async logOut(tokenId: string): Promise<void> {
    const [row] = await this.db.select().from(accessTokens).where(eq(accessTokens.id, tokenId));
    if (!row) return;
    const { family, userId, workspaceId } = row;
    await this.db.transaction(async (tx) => {
      await this.endFamily(tx, family);
      await recordAudit(tx, { action: 'user.log-out', object: { type: 'user', id: userId }, workspaceId });
    });
  }

  /** Ends all log-ins of a user, whose password was changed or taken away. */
  async logOutUser(db: Database | Transaction, userId: string): Promise<void> {
    await db
      .update(accessTokens)
      .set({ revokedAt: this.clock.now() })
      .where(and(eq(accessTokens.userId, userId), isNull(accessTokens.revokedAt)));
  }

  /** Forgets log-ins that nothing can be done with any more. */
  async forgetExpired(): Promise<void> {
    await this.db.delete(accessTokens).where(lt(accessTokens.refreshExpiresAt, this.clock.now()));
  }

  private async insert(db: Database | Transaction, row: LogIn & { family: string }): Promise<IssuedTokens> {
    const nowMs = this.clock.now().getTime();
    const tokens = { accessToken: randomUUID(), refreshToken: randomUUID() };
    await db.insert(accessTokens).values({
      ...row,
      accessHash: hashApiKey(tokens.accessToken),
      refreshHash: hashApiKey(tokens.refreshToken),
      accessExpiresAt: new Date(nowMs + ACCESS_TOKEN_SECONDS * 1000),
      refreshExpiresAt: new Date(nowMs + REFRESH_TOKEN_DAYS * 86_400_000),
    });
    // As IQM says it: what is left once the answer arrives.
    return { ...tokens, expiresInSeconds: ACCESS_TOKEN_SECONDS - 1 };
  }

  private async endFamily(db: Database | Transaction, family: string): Promise<void> {
    await db
      .update(accessTokens)
      .set({ revokedAt: this.clock.now() })
      .where(and(eq(accessTokens.family, family), isNull(accessTokens.revokedAt)));
  }
}
