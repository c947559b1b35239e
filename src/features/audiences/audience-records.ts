import { Injectable } from '@nestjs/common';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { notFound } from '../../domain/errors/index.js';
import { audiences, workspaces, type Database, type Transaction } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import type { AudienceKey } from '../ledger/index.js';
import { scopedTo, type Principal, type Workspace } from '../tenancy/index.js';

export type Audience = typeof audiences.$inferSelect;

/** An audience with its workspace, and its key in the warehouse. */
export interface AudienceInWorkspace {
  audience: Audience;
  workspace: Workspace;
  key: AudienceKey;
}

/** The audiences that are there: deleted ones, and copies under way, are not. */
@Injectable()
export class AudienceRecords {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The audience, or NOT_FOUND where it is not there or `principal` may not see it. */
  async require(
    principal: Principal,
    id: number,
    db: Database | Transaction = this.db,
  ): Promise<AudienceInWorkspace> {
    const [row] = await db
      .select({ audience: audiences, workspace: workspaces })
      .from(audiences)
      .innerJoin(workspaces, eq(workspaces.id, audiences.workspaceId))
      .where(
        and(eq(audiences.id, id), isNull(audiences.deletedAt), scopedTo(principal, audiences.workspaceId)),
      );
    if (!row) throw notFound('audience', id);
    return { ...row, key: { audienceId: id, workspace: row.workspace.number } };
  }

  /** Those of `ids` that are there and visible, by id. */
  async visible(principal: Principal, ids: readonly number[]): Promise<Map<number, Audience>> {
    if (ids.length === 0) return new Map();
    const rows = await this.db
      .select()
      .from(audiences)
      .where(
        and(
          inArray(audiences.id, [...ids]),
          isNull(audiences.deletedAt),
          scopedTo(principal, audiences.workspaceId),
        ),
      );
    return new Map(rows.map((row) => [row.id, row]));
  }
}
