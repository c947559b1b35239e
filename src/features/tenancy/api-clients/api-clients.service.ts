import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { and, asc, eq, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import { hashApiKey } from '../../../platform/crypto/index.js';
import { accessTokens, apiClients, type Database } from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase } from '../../../platform/nest/index.js';
import { readPage, type Page, type PageQuery } from '../../http/index.js';
import type { Principal } from '../access/principal.js';
import { scopedTo, scopedToOrganization, WorkspaceScope } from '../scope.js';
import { tenantOf } from '../tenant.js';
import type { ApiClientRow, CreateApiClient } from './api-clients.dto.js';

const ID_BYTES = 12;
const SECRET_BYTES = 32;

/** Programs that may log users in. */
@Injectable()
export class ApiClientsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    private readonly scope: WorkspaceScope,
  ) {}

  /** Makes a client; `secret` is its text, which is not kept. */
  async create(principal: Principal, given: CreateApiClient): Promise<{ row: ApiClientRow; secret: string }> {
    const { organizationId, workspaceId } = await tenantOf(this.scope, principal, given, 'An API client');
    if (!organizationId) {
      throw new HubError('VALIDATION_FAILED', 'An API client belongs to a workspace or an organization.', [
        { field: 'organizationId', message: 'must be given where workspaceId is absent' },
      ]);
    }
    const clientId = `hub-${randomBytes(ID_BYTES).toString('hex')}`;
    const secret = randomBytes(SECRET_BYTES).toString('hex');
    const [row] = await this.db
      .insert(apiClients)
      .values({ organizationId, workspaceId, name: given.name, clientId, secretHash: hashApiKey(secret) })
      .returning();
    if (!row) throw notFound('API client', 'just made');
    return { row, secret };
  }

  async list(principal: Principal, query: PageQuery): Promise<Page<ApiClientRow>> {
    const where = visible(principal);
    return readPage(query, this.db.$count(apiClients, where), (limit, offset) =>
      this.db
        .select()
        .from(apiClients)
        .where(where)
        .orderBy(asc(apiClients.createdAt), asc(apiClients.id))
        .limit(limit)
        .offset(offset),
    );
  }

  async get(principal: Principal, id: string): Promise<ApiClientRow> {
    const [row] = await this.db.select().from(apiClients).where(one(principal, id));
    if (!row) throw notFound('API client', id);
    return row;
  }

  /** From now on nobody logs in by it, and who did is logged out. */
  async revoke(principal: Principal, id: string): Promise<void> {
    const row = await this.get(principal, id);
    const revokedAt = row.revokedAt ?? this.clock.now();
    await this.db.transaction(async (tx) => {
      await tx.update(apiClients).set({ revokedAt }).where(eq(apiClients.id, row.id));
      await tx.delete(accessTokens).where(eq(accessTokens.clientId, row.id));
    });
  }
}

function one(principal: Principal, id: string): SQL | undefined {
  return and(eq(apiClients.id, id), visible(principal));
}

/** Clients that reach no further than the principal. */
function visible(principal: Principal): SQL {
  return principal.scope.kind === 'workspace'
    ? scopedTo(principal, apiClients.workspaceId)
    : scopedToOrganization(principal, apiClients.organizationId);
}
