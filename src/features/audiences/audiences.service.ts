import { Injectable } from '@nestjs/common';
import { and, arrayContains, asc, desc, eq, ilike, isNull, or, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { parseTag } from '../../domain/names/index.js';
import { changesOf, recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { audiences, type Database } from '../../platform/database/index.js';
import { InjectClock, InjectDatabase } from '../../platform/nest/index.js';
import { ConnectionNames } from '../connections/index.js';
import { readPage, type Page } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import { AudienceMetricsReader } from './audience-metrics.js';
import { AudienceRecords, type Audience } from './audience-records.js';
import {
  showAudience,
  type AudienceOrder,
  type AudiencesQuery,
  type AudienceSort,
  type AudienceView,
  type UpdateAudience,
  type UpdatedAudienceView,
} from './audiences.dto.js';

const COLUMNS = {
  name: audiences.name,
  created: audiences.createdAt,
  updated: audiences.updatedAt,
  size: audiences.size,
} as const satisfies Record<AudienceSort, unknown>;

/** The list of audiences with its metrics, and what people change by hand. */
@Injectable()
export class AudiencesService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    private readonly records: AudienceRecords,
    private readonly metrics: AudienceMetricsReader,
    private readonly names: ConnectionNames,
  ) {}

  async list(principal: Principal, query: AudiencesQuery): Promise<Page<AudienceView>> {
    const where = and(
      isNull(audiences.deletedAt),
      scopedTo(principal, audiences.workspaceId),
      query.workspaceId ? eq(audiences.workspaceId, query.workspaceId) : undefined,
      query.kind ? eq(audiences.kind, query.kind) : undefined,
      query.search ? named(query.search) : undefined,
      query.tags?.length ? arrayContains(audiences.tags, query.tags) : undefined,
    );
    const page = await readPage(query, this.db.$count(audiences, where), (limit, offset) =>
      this.db
        .select()
        .from(audiences)
        .where(where)
        .orderBy(orderOf(query.sort ?? 'name'), asc(audiences.id))
        .limit(limit)
        .offset(offset),
    );
    return { ...page, items: await this.show(page.items) };
  }

  async get(principal: Principal, id: number): Promise<AudienceView> {
    const { audience } = await this.records.require(principal, id);
    return this.showOne(audience);
  }

  async update(principal: Principal, id: number, given: UpdateAudience): Promise<UpdatedAudienceView> {
    const { audience } = await this.records.require(principal, id);
    const tags = given.tags ? tagsOf(given.tags) : audience.tags;
    const { row, renames } = await this.db.transaction(async (tx) => {
      const [changed] = await tx
        .update(audiences)
        .set({
          name: given.name ?? audience.name,
          externalName: given.externalName === undefined ? audience.externalName : given.externalName,
          tags,
          updatedAt: this.clock.now(),
        })
        .where(and(eq(audiences.id, id), isNull(audiences.deletedAt)))
        .returning();
      if (!changed) throw notFound('audience', id);
      const changes = changesOf(audience, changed, { shown: ['name', 'externalName', 'tags'] });
      const { workspaceId } = changed;
      await recordAudit(tx, {
        action: 'audience.update',
        object: { type: 'audience', id },
        workspaceId,
        changes,
      });
      return { row: changed, renames: await this.names.change(tx, audience, changed) };
    });
    if (renames.length > 0) await this.names.wake(id);
    const view: UpdatedAudienceView = await this.showOne(row);
    if (renames.length > 0) view.renames = renames;
    return view;
  }

  private async showOne(row: Audience): Promise<AudienceView> {
    const metricsOf = await this.metrics.read([row.id], this.clock.now());
    return showAudience(row, metricsOf(row.id));
  }

  private async show(rows: readonly Audience[]): Promise<AudienceView[]> {
    const metricsOf = await this.metrics.read(
      rows.map((row) => row.id),
      this.clock.now(),
    );
    return rows.map((row) => showAudience(row, metricsOf(row.id)));
  }
}

/** Searched as it is: `%`, `_` and `\` are letters like any other. */
function named(search: string): SQL | undefined {
  const pattern = `%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return or(ilike(audiences.name, pattern), ilike(audiences.externalName, pattern));
}

function orderOf(order: AudienceOrder): SQL {
  return order.startsWith('-') ? desc(columnOf(order.slice(1))) : asc(columnOf(order));
}

function columnOf(sort: string) {
  return COLUMNS[sort as AudienceSort];
}

/** Trimmed, each once, in the order given. A comma separates tags in the list's filter. */
function tagsOf(given: readonly string[]): string[] {
  const tags = given.map((raw, index) => {
    const parsed = raw.includes(',')
      ? { refused: { message: 'A tag holds no comma; send several tags.' } }
      : parseTag(raw);
    if ('tag' in parsed) return parsed.tag;
    throw new HubError('VALIDATION_FAILED', `A tag cannot be used. ${parsed.refused.message}`, [
      { field: `tags.${index}`, message: parsed.refused.message },
    ]);
  });
  return [...new Set(tags)];
}
