import { Injectable } from '@nestjs/common';
import { and, desc, eq, inArray, isNull, sql, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { changesOf, recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { LinkSigner } from '../../platform/crypto/index.js';
import {
  abTests,
  abVariants,
  audiences,
  exportsTable,
  type Database,
  type ExportState,
  type Transaction,
} from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import { InjectClock, InjectConfig, InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { readPage, type Page } from '../http/index.js';
import { reaches, scopedTo, type Principal } from '../tenancy/index.js';
import { showExport, type CreateExport, type ExportsQuery, type ExportView } from './exports.dto.js';
import { downloadLink } from './runner/export-notice.js';
import type { ExportRow } from './runner/export-plan.js';

/** Asking for exports and looking at them. The work is the runner's. */
@Injectable()
export class ExportsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectConfig() private readonly config: Config,
    @InjectClock() private readonly clock: Clock,
    private readonly signer: LinkSigner,
  ) {}

  async create(principal: Principal, given: CreateExport): Promise<ExportView> {
    const row = await this.db.transaction(async (tx) => {
      const found = await tx
        .select({ id: audiences.id, workspaceId: audiences.workspaceId, version: audiences.version })
        .from(audiences)
        .where(
          and(
            inArray(audiences.id, given.audienceIds),
            isNull(audiences.deletedAt),
            scopedTo(principal, audiences.workspaceId),
          ),
        )
        .orderBy(audiences.id)
        .for('share');
      const workspaceId = oneWorkspace(given.audienceIds, found);
      const variantIds = given.variantIds ?? [];
      await requireVariants(tx, given.audienceIds, variantIds);
      const [inserted] = await tx
        .insert(exportsTable)
        .values({
          workspaceId,
          audienceIds: given.audienceIds,
          variantIds,
          identityTypes: given.identityTypes,
          neutraliseFormulas: given.neutraliseFormulas ?? false,
          notifyEmail: given.notifyEmail,
        })
        .returning();
      if (inserted) {
        const fields = {
          shown: ['audienceIds', 'variantIds', 'identityTypes', 'neutraliseFormulas'],
          named: ['notifyEmail'],
        };
        await recordAudit(tx, {
          action: 'export.create',
          object: { type: 'export', id: inserted.id },
          workspaceId,
          changes: changesOf(undefined, inserted, fields),
        });
      }
      return inserted;
    });
    if (!row) throw notFound('export', 'just made');
    await this.queue.enqueue({ kind: 'export', id: row.id });
    return this.show(principal, row);
  }

  async list(principal: Principal, query: ExportsQuery): Promise<Page<ExportView>> {
    const where = and(
      scopedTo(principal, exportsTable.workspaceId),
      query.workspaceId ? eq(exportsTable.workspaceId, query.workspaceId) : undefined,
      query.state ? this.inState(query.state) : undefined,
      query.audienceId ? holds(query.audienceId) : undefined,
    );
    const page = await readPage(query, this.db.$count(exportsTable, where), (limit, offset) =>
      this.db
        .select()
        .from(exportsTable)
        .where(where)
        .orderBy(desc(exportsTable.createdAt), exportsTable.id)
        .limit(limit)
        .offset(offset),
    );
    return { ...page, items: page.items.map((row) => this.show(principal, row)) };
  }

  async get(principal: Principal, id: string): Promise<ExportView> {
    return this.show(principal, await this.require(principal, id));
  }

  /** The export, or NOT_FOUND where it is not there or `principal` may not see it. */
  async require(principal: Principal, id: string): Promise<ExportRow> {
    const [row] = await this.db
      .select()
      .from(exportsTable)
      .where(and(eq(exportsTable.id, id), scopedTo(principal, exportsTable.workspaceId)));
    if (!row) throw notFound('export', id);
    return row;
  }

  /** The state as of now: an archive whose time is over is expired, whether the sweep came by or not. */
  stateOf(row: ExportRow): ExportState {
    const over = row.expiresAt !== null && row.expiresAt <= this.clock.now();
    return row.state === 'ready' && over ? 'expired' : row.state;
  }

  private inState(state: ExportState): SQL | undefined {
    const now = this.clock.now();
    const over = sql`${exportsTable.state} = 'ready' and ${exportsTable.expiresAt} <= ${now.toISOString()}::timestamptz`;
    if (state === 'expired') return sql`(${exportsTable.state} = 'expired' or (${over}))`;
    if (state === 'ready') return sql`(${exportsTable.state} = 'ready' and not (${over}))`;
    return eq(exportsTable.state, state);
  }

  /** The link lets its holder read personal data, so only those who may download see it. */
  private show(principal: Principal, row: ExportRow): ExportView {
    const state = this.stateOf(row);
    const open = state === 'ready' && row.expiresAt !== null && reaches(principal.role, 'editor');
    const link = open ? downloadLink(this.config, this.signer, row.id, row.expiresAt ?? new Date(0)) : null;
    return showExport(row, state, link);
  }
}

/** Exports that hold the audience. */
export function holds(audienceId: number): SQL {
  return sql`${exportsTable.audienceIds} @> ${JSON.stringify([audienceId])}::jsonb`;
}

function oneWorkspace(ids: readonly number[], found: readonly { id: number; workspaceId: string }[]): string {
  const byId = new Map(found.map((row) => [row.id, row.workspaceId]));
  const missing = ids.find((id) => !byId.has(id));
  if (missing !== undefined) throw notFound('audience', missing);
  const [workspaceId, ...others] = new Set(byId.values());
  if (workspaceId === undefined || others.length > 0) {
    throw new HubError('VALIDATION_FAILED', 'An export holds audiences of one workspace.', [
      { field: 'audienceIds', message: 'must all belong to the same workspace' },
    ]);
  }
  return workspaceId;
}

/** Locks the tests of the variants, so that none of them is deleted before the export is asked for. */
async function requireVariants(
  tx: Transaction,
  audienceIds: readonly number[],
  variantIds: readonly string[],
): Promise<void> {
  if (variantIds.length === 0) return;
  const found = await tx
    .select({ id: abVariants.id })
    .from(abVariants)
    .innerJoin(abTests, eq(abTests.id, abVariants.testId))
    .where(
      and(
        inArray(abVariants.id, [...variantIds]),
        inArray(abTests.audienceId, [...audienceIds]),
        isNull(abTests.deletedAt),
      ),
    )
    .for('share', { of: abTests });
  const there = new Set(found.map(({ id }) => id));
  const missing = variantIds.filter((id) => !there.has(id));
  if (missing.length === 0) return;
  throw new HubError('VARIANT_UNKNOWN', `These audiences have no variant ${missing.join(', ')}.`, [
    { field: 'variantIds', message: 'must name variants of the A/B tests of these audiences' },
  ]);
}
