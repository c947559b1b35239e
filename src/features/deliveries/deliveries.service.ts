import { Injectable } from '@nestjs/common';
import { and, desc, eq } from 'drizzle-orm';
import { notFound } from '../../domain/errors/index.js';
import { connections, deliveries, type Database } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import { readPage, type Page } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import type { DeliveriesQuery } from './deliveries.dto.js';
import { pendingMembers } from './delivery-jobs.js';
import type { Delivery } from './delivery-rows.js';

/** A delivery, and how many of its members wait for an answer of the partner. */
export type DeliveryWithPending = Delivery & { pending: number };

/** Deliveries as people see them. */
@Injectable()
export class DeliveriesService {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** Newest first. */
  async list(
    principal: Principal,
    connectionId: string,
    query: DeliveriesQuery,
  ): Promise<Page<DeliveryWithPending>> {
    const visible = scopedTo(principal, connections.workspaceId);
    const found = await this.db.$count(connections, and(eq(connections.id, connectionId), visible));
    if (found === 0) throw notFound('connection', connectionId);
    const where = and(
      eq(deliveries.connectionId, connectionId),
      query.state ? eq(deliveries.state, query.state) : undefined,
    );
    return readPage(query, this.db.$count(deliveries, where), async (limit, offset) => {
      const rows = await this.db
        .select()
        .from(deliveries)
        .where(where)
        .orderBy(desc(deliveries.createdAt), desc(deliveries.toVersion))
        .limit(limit)
        .offset(offset);
      return this.withPending(rows);
    });
  }

  /** The delivery, or NOT_FOUND where it does not exist or `principal` may not see it. */
  async get(principal: Principal, id: string): Promise<DeliveryWithPending> {
    const rows = await this.db
      .select()
      .from(deliveries)
      .where(and(eq(deliveries.id, id), scopedTo(principal, deliveries.workspaceId)));
    const [row] = await this.withPending(rows);
    if (!row) throw notFound('delivery', id);
    return row;
  }

  private async withPending(rows: Delivery[]): Promise<DeliveryWithPending[]> {
    const waiting = await pendingMembers(
      this.db,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => ({ ...row, pending: waiting.get(row.id) ?? 0 }));
  }
}
