import { Injectable } from '@nestjs/common';
import { and, asc, eq, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { changesOf, recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import { hashApiKey, newApiKey } from '../../../platform/crypto/index.js';
import { apiKeys, type Database, type Transaction } from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase } from '../../../platform/nest/index.js';
import { readPage, type Page, type PageQuery } from '../../http/index.js';
import { reaches, type Principal } from '../access/principal.js';
import { scopedTo, scopedToOrganization, WorkspaceScope } from '../scope.js';
import { tenantOf, type Tenant } from '../tenant.js';
import { UsersService } from '../users/users.service.js';
import type { ApiKey, CreateApiKey, UpdateApiKey } from './api-keys.dto.js';

/** Characters of a key that are kept to tell keys apart: `hub_` and six more. */
export const SHOWN_PREFIX_LENGTH = 10;

@Injectable()
export class ApiKeysService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    private readonly scope: WorkspaceScope,
    private readonly people: UsersService,
  ) {}

  /** Makes a key within the principal's own scope and role; `key` is its text, which is not kept. */
  async create(principal: Principal, given: CreateApiKey): Promise<{ row: ApiKey; key: string }> {
    const tenant = await tenantOf(this.scope, principal, given, 'An API key');
    if (!reaches(principal.role, given.role)) {
      throw new HubError(
        'FORBIDDEN',
        `A key of role ${principal.role} cannot make one of role ${given.role}.`,
      );
    }
    if (given.userId) await this.requirePerson(principal, given.userId, tenant);
    const key = newApiKey();
    const { name, role, userId = null } = given;
    const kept = { hash: hashApiKey(key), prefix: key.slice(0, SHOWN_PREFIX_LENGTH) };
    const row = await this.db.transaction(async (tx) => {
      const [made] = await tx
        .insert(apiKeys)
        .values({ ...tenant, userId, name, role, ...kept })
        .returning();
      if (!made) throw notFound('API key', 'just made');
      await note(tx, 'create', undefined, made);
      return made;
    });
    return { row, key };
  }

  /** A person's key reaches no further than the person belongs. */
  private async requirePerson(principal: Principal, userId: string, tenant: Tenant): Promise<void> {
    const user = await this.people.get(principal, userId);
    const fits =
      user.organizationId === tenant.organizationId &&
      (user.workspaceId === null || user.workspaceId === tenant.workspaceId);
    if (fits) return;
    throw new HubError('VALIDATION_FAILED', 'The key would reach further than its person belongs.', [
      { field: 'userId', message: "must be a user of the key's workspace or of its organization" },
    ]);
  }

  async list(principal: Principal, query: PageQuery): Promise<Page<ApiKey>> {
    const where = visible(principal);
    return readPage(query, this.db.$count(apiKeys, where), (limit, offset) =>
      this.db
        .select()
        .from(apiKeys)
        .where(where)
        .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id))
        .limit(limit)
        .offset(offset),
    );
  }

  async get(principal: Principal, id: string): Promise<ApiKey> {
    const [row] = await this.db.select().from(apiKeys).where(one(principal, id));
    if (!row) throw notFound('API key', id);
    return row;
  }

  async rename(principal: Principal, id: string, given: UpdateApiKey): Promise<ApiKey> {
    const current = await this.get(principal, id);
    return this.db.transaction(async (tx) => {
      const [row] = await tx.update(apiKeys).set({ name: given.name }).where(one(principal, id)).returning();
      if (!row) throw notFound('API key', id);
      await note(tx, 'update', current, row);
      return row;
    });
  }

  /** From now on the key opens nothing. The row stays, so that logs that name the key can be read. */
  async revoke(principal: Principal, id: string): Promise<void> {
    const row = await this.get(principal, id);
    if (row.revokedAt) return;
    await this.db.transaction(async (tx) => {
      await tx.update(apiKeys).set({ revokedAt: this.clock.now() }).where(one(principal, id));
      await note(tx, 'revoke', row, row);
    });
  }
}

async function note(
  tx: Transaction,
  verb: 'create' | 'update' | 'revoke',
  before: ApiKey | undefined,
  after: ApiKey,
): Promise<void> {
  const { id, workspaceId, organizationId } = after;
  await recordAudit(tx, {
    action: `api-key.${verb}`,
    object: { type: 'api-key', id },
    workspaceId,
    organizationId,
    changes: changesOf(before, after, { shown: ['name', 'role', 'userId', 'prefix'] }),
  });
}

function one(principal: Principal, id: string): SQL | undefined {
  return and(eq(apiKeys.id, id), visible(principal));
}

/** Keys that reach no further than the principal's own. */
function visible(principal: Principal): SQL {
  return principal.scope.kind === 'workspace'
    ? scopedTo(principal, apiKeys.workspaceId)
    : scopedToOrganization(principal, apiKeys.organizationId);
}
