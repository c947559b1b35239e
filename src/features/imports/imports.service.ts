import { Injectable } from '@nestjs/common';
import { and, asc, desc, eq, inArray, sql, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../domain/errors/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import {
  importErrors,
  imports,
  inputs,
  type Database,
  type ImportState,
} from '../../platform/database/index.js';
import type { FileStore } from '../../platform/files/index.js';
import { InjectDatabase, InjectFiles, InjectWarehouse, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { readPage, type Page } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import type { ImportErrorsQuery, ImportsQuery } from './imports.dto.js';
import { waitsForApproval } from './approval/approval-problems.js';
import { isBlocked, MappingService } from './mapping/mapping.service.js';
import { assertNewest } from './newest.js';
import { rejectsKey } from './pipeline/import-steps.js';
import { dropWorkTables } from './sql/tables.js';

type ImportRow = typeof imports.$inferSelect;

/** What people see and decide about imports. */
@Injectable()
export class ImportsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectFiles() private readonly files: FileStore,
    @InjectWarehouse() private readonly warehouse: Warehouse,
    private readonly mappings: MappingService,
  ) {}

  async list(principal: Principal, query: ImportsQuery): Promise<Page<ImportRow>> {
    const { workspaceId, inputId, audienceId, state } = query;
    const where = and(
      scopedTo(principal, imports.workspaceId),
      workspaceId ? eq(imports.workspaceId, workspaceId) : undefined,
      inputId ? eq(imports.inputId, inputId) : undefined,
      audienceId ? eq(imports.audienceId, audienceId) : undefined,
      state ? eq(imports.state, state) : undefined,
    );
    return readPage(query, this.db.$count(imports, where), (limit, offset) =>
      this.db.select().from(imports).where(where).orderBy(desc(imports.sequence)).limit(limit).offset(offset),
    );
  }

  async get(principal: Principal, id: string): Promise<ImportRow> {
    const [row] = await this.db.select().from(imports).where(visible(principal, id));
    if (row === undefined) throw notFound('import', id);
    return row;
  }

  /** The first 1,000 problems; all of them are in the CSV. */
  async errors(principal: Principal, id: string, query: ImportErrorsQuery) {
    await this.get(principal, id);
    const where = eq(importErrors.importId, id);
    return readPage(query, this.db.$count(importErrors, where), (limit, offset) =>
      this.db
        .select()
        .from(importErrors)
        .where(where)
        .orderBy(asc(importErrors.position))
        .limit(limit)
        .offset(offset),
    );
  }

  /** The CSV of every rejected row, or undefined where nothing was rejected. */
  async rejects(principal: Principal, id: string) {
    await this.get(principal, id);
    const key = rejectsKey(id);
    return (await this.files.stat(key)) ? this.files.get(key) : undefined;
  }

  /**
   * Lets a held import go on, or approves the mapping of one that is blocked for it. Only the newest import of a
   * source: a newer file has the last word.
   */
  async release(principal: Principal, id: string): Promise<ImportRow> {
    const row = await this.get(principal, id);
    if (isBlocked(row) && row.audienceId !== null) {
      if (principal.role !== 'admin') {
        throw new HubError('FORBIDDEN', 'Approving a changed mapping needs the role admin.');
      }
      return this.mappings.approve(principal, row.audienceId, id);
    }
    if (row.state !== 'held') throw wrongState(row, 'released', 'held');
    if (waitsForApproval(row)) {
      throw new HubError(
        'WRONG_STATE',
        `The audience has to be approved first: POST /audiences/${row.audienceId}/approve.`,
      );
    }
    await assertNewest(this.db, row);
    const released = await this.move('release', id, ['held'], {
      state: 'queued',
      released: true,
      error: null,
      attempts: 0,
      finishedAt: null,
    });
    if (released === undefined) throw wrongState(await this.get(principal, id), 'released', 'held');
    await this.queue.enqueue({ kind: 'import', id });
    return released;
  }

  /** Ends a held or waiting import without touching the members. */
  async discard(principal: Principal, id: string): Promise<ImportRow> {
    const row = await this.get(principal, id);
    const discarded = await this.move('discard', id, ['held', 'queued'], {
      state: 'discarded',
      finishedAt: sql`now()` as unknown as Date,
      error: row.error ?? { code: 'DISCARDED', message: 'The import was discarded before it began.' },
    });
    if (discarded === undefined)
      throw wrongState(await this.get(principal, id), 'discarded', 'held or queued');
    await dropWorkTables(this.warehouse, id);
    return discarded;
  }

  /** The input, visible to the principal; for `POST /inputs/:id/scan`. */
  async requireInput(principal: Principal, inputId: string): Promise<void> {
    const [row] = await this.db
      .select({ enabled: inputs.enabled })
      .from(inputs)
      .where(and(eq(inputs.id, inputId), scopedTo(principal, inputs.workspaceId)));
    if (row === undefined) throw notFound('input', inputId);
    if (!row.enabled) {
      throw new HubError(
        'WRONG_STATE',
        'The input is switched off. Enable it (PATCH enabled: true) and scan again.',
      );
    }
  }

  private move(
    verb: 'release' | 'discard',
    id: string,
    from: ImportState[],
    set: Partial<ImportRow>,
  ): Promise<ImportRow | undefined> {
    return this.db.transaction(async (tx) => {
      const [moved] = await tx
        .update(imports)
        .set(set)
        .where(and(eq(imports.id, id), inArray(imports.state, from)))
        .returning();
      if (!moved) return undefined;
      const { workspaceId, sourceKey } = moved;
      const changes = { state: { to: moved.state }, file: { to: sourceKey } };
      await recordAudit(tx, {
        action: `import.${verb}`,
        object: { type: 'import', id },
        workspaceId,
        changes,
      });
      return moved;
    });
  }
}

function visible(principal: Principal, id: string): SQL | undefined {
  return and(eq(imports.id, id), scopedTo(principal, imports.workspaceId));
}

function wrongState(row: ImportRow, what: string, expected: string): HubError {
  return new HubError(
    'WRONG_STATE',
    `The import is ${row.state} and cannot be ${what}; it must be ${expected}.`,
  );
}
