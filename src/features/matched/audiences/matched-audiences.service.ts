import { Injectable } from '@nestjs/common';
import { and, asc, count, desc, eq, ilike, inArray, isNull, sql, type SQL } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import {
  audiences,
  imports,
  matchedUploads,
  uploads,
  type Database,
} from '../../../platform/database/index.js';
import type { FileStore } from '../../../platform/files/index.js';
import { InjectDatabase, InjectFiles } from '../../../platform/nest/index.js';
import { NewImports, type NotedSource } from '../../imports/index.js';
import type { AudienceStatus } from '../../../domain/matched/index.js';
import type { Caller } from '../caller.guard.js';
import type { MatchedAudience } from './audience-view.js';
import type { ListRequest } from './list-request.js';
import { newestImport, statusSql } from './status.js';

/** Of an audience that is asked for by its id. */
const ONE = { order: [asc(audiences.id)], limit: 1, offset: 0 };

const SORTS = {
  id: audiences.id,
  audienceName: audiences.name,
  createdDate: audiences.createdAt,
  modifiedDate: audiences.updatedAt,
} as const;

/** A page of a list. */
export interface MatchedPage {
  items: MatchedAudience[];
  totalRecords: number;
  filteredRecords: number;
}

/** The matched audiences of the caller's workspace: those that were uploaded and those that come from a drop. */
@Injectable()
export class MatchedAudiences {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectFiles() private readonly files: FileStore,
    private readonly imports: NewImports,
  ) {}

  async get(caller: Caller, id: number): Promise<MatchedAudience> {
    const [one] = await this.read(caller, eq(audiences.id, id));
    if (!one) throw notFound('matched audience', id);
    return one;
  }

  async list(caller: Caller, asked: ListRequest): Promise<MatchedPage> {
    const where = and(
      asked.ids ? inArray(audiences.id, asked.ids) : undefined,
      asked.search
        ? ilike(audiences.name, `%${asked.search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`)
        : undefined,
    );
    const column = SORTS[asked.sort];
    const order = [asked.descending ? desc(column) : asc(column), asc(audiences.id)];
    const totalRecords = await this.db.$count(audiences, of(caller));
    const offset = (asked.page - 1) * asked.pageSize;
    const filteredRecords = await this.count(caller, where, asked.statuses);
    const page = { order, limit: asked.pageSize, offset };
    const items = await this.read(caller, where, page, asked.statuses);
    return { items, totalRecords, filteredRecords };
  }

  /** Reads the uploaded file again: people who have come to be known since are found now. */
  rematch(caller: Caller, id: number): Promise<void> {
    return this.again(caller, id, ({ state }) =>
      ['queued', 'running', 'held'].includes(state)
        ? 'The audience is still being processed; only one that is at its end can be rematched.'
        : undefined,
    );
  }

  /** The same for an audience that failed, and for no other. */
  regenerate(caller: Caller, id: number): Promise<void> {
    return this.again(caller, id, ({ state }) =>
      state === 'failed' ? undefined : 'Only a failed audience can be regenerated.',
    );
  }

  private async again(
    caller: Caller,
    id: number,
    refuse: (newest: typeof imports.$inferSelect) => string | undefined,
  ): Promise<void> {
    const { audience, upload, newest } = await this.get(caller, id);
    const source = newest?.source as unknown as NotedSource | undefined;
    const fileKey = source?.pushed?.fileKey;
    if (!newest?.inputId || !source || !upload || fileKey === undefined) {
      throw wrongState('The audience was not uploaded; send its file to where it came from.');
    }
    if (audience.approval === 'rejected') throw wrongState('The audience was rejected. Upload it anew.');
    const refused = refuse(newest);
    if (refused !== undefined) throw wrongState(refused);
    if (!(await this.files.stat(fileKey))) {
      throw new HubError('GONE', 'The uploaded file is not kept any longer. Upload it anew.');
    }
    const { inputId, workspaceId, sourceKey: key, revision, audienceName } = newest;
    const made = await this.db.transaction(async (tx) => {
      const { newest: still } = await this.imports.known(tx, inputId, key);
      if (still?.id !== newest.id) throw wrongState('The audience is being processed already.');
      const row = await this.imports.queue(tx, { inputId, workspaceId, key, revision, audienceName, source });
      // The file now belongs to the new import, and stays as long as that needs it.
      await tx.update(uploads).set({ importId: row.id }).where(eq(uploads.importId, newest.id));
      return row;
    });
    await this.imports.begin([made.id]);
  }

  private async read(
    caller: Caller,
    where: SQL | undefined,
    { order, limit, offset }: { order: SQL[]; limit: number; offset: number } = ONE,
    statuses?: AudienceStatus[],
  ): Promise<MatchedAudience[]> {
    const last = newestImport(this.db);
    const status = statusSql(last);
    const rows = await this.db
      .select({ audience: audiences, upload: matchedUploads, status })
      .from(audiences)
      .leftJoin(matchedUploads, eq(matchedUploads.audienceId, audiences.id))
      .leftJoinLateral(last, sql`true`)
      .where(and(of(caller), where, statuses && inArray(status, statuses)))
      .orderBy(...order)
      .limit(limit)
      .offset(offset);
    const newest = await this.newestOf(rows.map(({ audience }) => audience.id));
    return rows.map((row) => ({ ...row, newest: newest.get(row.audience.id) }));
  }

  private async count(
    caller: Caller,
    where: SQL | undefined,
    statuses: AudienceStatus[] | undefined,
  ): Promise<number> {
    if (statuses === undefined) return this.db.$count(audiences, and(of(caller), where));
    const last = newestImport(this.db);
    const [counted] = await this.db
      .select({ audiences: count() })
      .from(audiences)
      .leftJoin(matchedUploads, eq(matchedUploads.audienceId, audiences.id))
      .leftJoinLateral(last, sql`true`)
      .where(and(of(caller), where, inArray(statusSql(last), statuses)));
    return counted?.audiences ?? 0;
  }

  private async newestOf(ids: readonly number[]): Promise<Map<number, typeof imports.$inferSelect>> {
    if (ids.length === 0) return new Map();
    const rows = await this.db
      .selectDistinctOn([imports.audienceId])
      .from(imports)
      .where(inArray(imports.audienceId, [...ids]))
      .orderBy(imports.audienceId, desc(imports.sequence));
    return new Map(rows.map((row) => [row.audienceId ?? 0, row]));
  }
}

/** The caller's own matched audiences that are there. */
function of({ workspaceId }: Caller): SQL {
  return sql`${and(eq(audiences.workspaceId, workspaceId), eq(audiences.kind, 'matched'), isNull(audiences.deletedAt))}`;
}

function wrongState(message: string): HubError {
  return new HubError('WRONG_STATE', message);
}
