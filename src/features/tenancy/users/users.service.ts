import { Injectable } from '@nestjs/common';
import { and, asc, eq, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { users, type Database } from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { readPage, type Page } from '../../http/index.js';
import type { Principal } from '../access/principal.js';
import { scopedTo, scopedToOrganization, WorkspaceScope } from '../scope.js';
import { tenantOf } from '../tenant.js';
import type { CreateUser, UpdateUser, User, UsersQuery } from './users.dto.js';

@Injectable()
export class UsersService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly scope: WorkspaceScope,
  ) {}

  async create(principal: Principal, given: CreateUser): Promise<User> {
    const { organizationId, workspaceId } = await tenantOf(this.scope, principal, given, 'A user');
    if (!organizationId) {
      throw new HubError('VALIDATION_FAILED', 'A user belongs to a workspace or an organization.', [
        { field: 'organizationId', message: 'must be given where workspaceId is absent' },
      ]);
    }
    const { email, name, role } = given;
    const [row] = await this.db
      .insert(users)
      .values({ organizationId, workspaceId, email, name, role })
      .returning();
    if (!row) throw notFound('user', 'just made');
    return row;
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
    const [row] = await this.db
      .update(users)
      .set({
        email: given.email ?? current.email,
        name: given.name ?? current.name,
        role: given.role ?? current.role,
      })
      .where(one(principal, id))
      .returning();
    if (!row) throw notFound('user', id);
    return row;
  }

  async delete(principal: Principal, id: string): Promise<void> {
    const gone = await this.db.delete(users).where(one(principal, id)).returning({ id: users.id });
    if (gone.length === 0) throw notFound('user', id);
  }
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
