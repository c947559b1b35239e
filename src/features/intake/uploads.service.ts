import { Injectable } from '@nestjs/common';
import { and, desc, eq, getTableColumns } from 'drizzle-orm';
import { notFound } from '../../domain/errors/index.js';
import { uploads, type Database } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import { readPage, type Page } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import type { UploadRow } from './upload-records.js';
import type { UploadsQuery } from './uploads.dto.js';

const { report: _report, ...LISTED } = getTableColumns(uploads);

/** What people see of files that are sent to the hub. */
@Injectable()
export class UploadsService {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** Without the reports of dry runs, which are long: each is shown with its own upload. */
  async list(principal: Principal, query: UploadsQuery): Promise<Page<Omit<UploadRow, 'report'>>> {
    const { workspaceId, inputId, state } = query;
    const where = and(
      scopedTo(principal, uploads.workspaceId),
      workspaceId ? eq(uploads.workspaceId, workspaceId) : undefined,
      inputId ? eq(uploads.inputId, inputId) : undefined,
      state ? eq(uploads.state, state) : undefined,
    );
    return readPage(query, this.db.$count(uploads, where), (limit, offset) =>
      this.db
        .select(LISTED)
        .from(uploads)
        .where(where)
        .orderBy(desc(uploads.createdAt), desc(uploads.id))
        .limit(limit)
        .offset(offset),
    );
  }

  async get(principal: Principal, id: string): Promise<UploadRow> {
    const [row] = await this.db
      .select()
      .from(uploads)
      .where(and(eq(uploads.id, id), scopedTo(principal, uploads.workspaceId)));
    if (row === undefined) throw notFound('upload', id);
    return row;
  }
}
