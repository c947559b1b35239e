import { Injectable } from '@nestjs/common';
import { and, eq, isNotNull, isNull, or, sql } from 'drizzle-orm';
import { apiKeyMatches, passwordMatches } from '../../../platform/crypto/index.js';
import {
  apiClients,
  organizations,
  users,
  workspaces,
  type Database,
  type OrganizationHold,
} from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import type { Organization, Workspace } from '../scope.js';
import { hostOf } from '../workspaces/host.js';
import { AccessTokens, type IssuedTokens } from './access-tokens.js';

export type ApiClient = typeof apiClients.$inferSelect;

/** How a log-in or a refresh ended. */
export type LogInResult =
  | { outcome: 'in'; tokens: IssuedTokens; organization: Organization }
  /** The organization is on hold. Told to those who have the right password only. */
  | { outcome: 'on hold'; hold: OrganizationHold }
  /** No such user in this workspace, the wrong password, or a workspace that the client does not reach. */
  | { outcome: 'refused' };

/** Logs users in for programs (API clients). */
@Injectable()
export class LogInService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly tokens: AccessTokens,
  ) {}

  /** The API client of a `Basic` Authorization header, or undefined. */
  async clientOf(authorization: string | undefined): Promise<ApiClient | undefined> {
    const encoded = /^Basic +([A-Za-z0-9+/_=-]+)$/i.exec(authorization ?? '')?.[1];
    const [, clientId, secret] =
      /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? [];
    if (!clientId || !secret) return undefined;
    const [client] = await this.db
      .select()
      .from(apiClients)
      .where(and(eq(apiClients.clientId, clientId), isNull(apiClients.revokedAt)));
    return client && apiKeyMatches(secret, client.secretHash) ? client : undefined;
  }

  /** Logs a user in to the workspace whose URL is `host`. Every refusal takes as long as a success. */
  async logIn(
    client: ApiClient,
    given: { host: string; email: string; password: string },
  ): Promise<LogInResult> {
    const at = await this.workspaceOf(client, given.host);
    const user = at && (await this.userOf(at.workspace, given.email));
    const matches = await passwordMatches(given.password, user?.passwordHash ?? undefined);
    if (!at || !user || !matches) return { outcome: 'refused' };
    const { workspace, organization } = at;
    if (organization.hold) return { outcome: 'on hold', hold: organization.hold };
    const logIn = { userId: user.id, workspaceId: workspace.id, clientId: client.id };
    return { outcome: 'in', tokens: await this.tokens.issue(logIn), organization };
  }

  /** New tokens for a refresh token of this client. */
  async refresh(client: ApiClient, refreshToken: string): Promise<LogInResult> {
    const [organization] = await this.db
      .select()
      .from(organizations)
      .where(eq(organizations.id, client.organizationId));
    if (!organization) return { outcome: 'refused' };
    if (organization.hold) return { outcome: 'on hold', hold: organization.hold };
    const refreshed = await this.tokens.refresh(client.id, refreshToken);
    return refreshed ? { outcome: 'in', tokens: refreshed.tokens, organization } : { outcome: 'refused' };
  }

  /** The workspace of a host, where it is one that the client reaches. */
  private async workspaceOf(
    client: ApiClient,
    url: string,
  ): Promise<{ workspace: Workspace; organization: Organization } | undefined> {
    const host = hostOf(url);
    if (host === undefined) return undefined;
    const [found] = await this.db
      .select({ workspace: workspaces, organization: organizations })
      .from(workspaces)
      .innerJoin(organizations, eq(organizations.id, workspaces.organizationId))
      .where(
        and(
          eq(workspaces.host, host),
          eq(workspaces.organizationId, client.organizationId),
          client.workspaceId ? eq(workspaces.id, client.workspaceId) : undefined,
        ),
      );
    return found;
  }

  /** The user of this address who may use the workspace: its own before one of the whole organization. */
  private async userOf(workspace: Workspace, email: string) {
    const [user] = await this.db
      .select()
      .from(users)
      .where(
        and(
          eq(users.organizationId, workspace.organizationId),
          or(eq(users.workspaceId, workspace.id), isNull(users.workspaceId)),
          eq(sql`lower(${users.email})`, email.trim().toLowerCase()),
          isNotNull(users.passwordHash),
        ),
      )
      .orderBy(sql`${users.workspaceId} nulls last`, users.number)
      .limit(1);
    return user;
  }
}
