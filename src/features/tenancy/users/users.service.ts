import { Injectable } from '@nestjs/common';
import { and, asc, eq, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { changesOf, recordAudit } from '../../../platform/audit/index.js';
import { hashPassword } from '../../../platform/crypto/index.js';
import { users, type Database, type Transaction } from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { readPage, type Page } from '../../http/index.js';
import type { Principal } from '../access/principal.js';
import { scopedTo, scopedToOrganization, WorkspaceScope } from '../scope.js';
import { tenantOf } from '../tenant.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import type { CreateUser, UpdateUser, User, UsersQuery } from './users.dto.js';

@Injectable()
export class UsersService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly scope: WorkspaceScope,
    private readonly tokens: AccessTokens,
  ) {}

  async create(principal: Principal, given: CreateUser): Promise<User> {
    const { organizationId, workspaceId } = await tenantOf(this.scope, principal, given, 'A user');
    if (!organizationId) {
      throw new HubError('VALIDATION_FAILED', 'A user belongs to a workspace or an organization.', [
        { field: 'organizationId', message: 'must be given where workspaceId is absent' },
      ]);
    }
    const { email, name, role } = given;
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .insert(users)
        .values({ organizationId, workspaceId, email, name, role })
        .returning();
      if (!row) throw notFound('user', 'just made');
      await note(tx, 'create', undefined, row);
      return row;
    });
  }

  async list(principal: Principal, query: UsersQuery): Promise<Page<User>> {
    const where = and(
      visible(principal),
      query.workspaceId ? eq(users.workspaceId, query.workspaceId) : undefined,
    );
    return readPage(query, this.db.$count(users, where), (limit, offset) =>
      this.db
        .select()
        .from(users)
        .where(where)
        .orderBy(asc(users.name), asc(users.id))
        .limit(limit)
        .offset(offset),
    );
  }

  async get(principal: Principal, id: string): Promise<User> {
    const [row] = await this.db.select().from(users).where(one(principal, id));
    if (!row) throw notFound('user', id);
    return row;
  }

  async update(principal: Principal, id: string, given: UpdateUser): Promise<User> {
    const current = await this.get(principal, id);
    return this.db.transaction(async (tx) => {
      const [row] = await tx
        .update(users)
        .set({
          email: given.email ?? current.email,
          name: given.name ?? current.name,
          role: given.role ?? current.role,
        })
        .where(one(principal, id))
        .returning();
      if (!row) throw notFound('user', id);
      await note(tx, 'update', current, row);
      return row;
    });
  }

  /** Undefined takes the password away. Either way the user is logged out everywhere. */
  async setPassword(principal: Principal, id: string, password: string | undefined): Promise<void> {
    const user = await this.get(principal, id);
    const passwordHash = password === undefined ? null : await hashPassword(password);
    await this.db.transaction(async (tx) => {
      await tx.update(users).set({ passwordHash }).where(one(principal, id));
      await this.tokens.logOutUser(tx, id);
      const { workspaceId, organizationId } = user;
      const action = password === undefined ? 'user.password.delete' : 'user.password.set';
      await recordAudit(tx, { action, object: { type: 'user', id }, workspaceId, organizationId });
    });
  }

  async delete(principal: Principal, id: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      const [gone] = await tx.delete(users).where(one(principal, id)).returning();
      if (!gone) throw notFound('user', id);
      await note(tx, 'delete', gone, undefined);
    });
  }
}

/** Names and addresses of people are not repeated. */
async function note(
  tx: Transaction,
  verb: 'create' | 'update' | 'delete',
  before: User | undefined,
  after: User | undefined,
): Promise<void> {
  const { id, workspaceId, organizationId } = after ?? before ?? {};
  await recordAudit(tx, {
    action: `user.${verb}`,
    object: { type: 'user', id },
    workspaceId,
    organizationId,
    changes: changesOf(before, after, { shown: ['role'], named: ['email', 'name'] }),
  });
}

function one(principal: Principal, id: string): SQL | undefined {
  return and(eq(users.id, id), visible(principal));
}

/** A workspace's key sees that workspace's users, an organization's key all of the organization's. */
function visible(principal: Principal): SQL {
  return principal.scope.kind === 'workspace'
    ? scopedTo(principal, users.workspaceId)
    : scopedToOrganization(principal, users.organizationId);
}
