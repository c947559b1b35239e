import { Injectable, type OnModuleInit } from '@nestjs/common';
import { and, eq, inArray, isNull, lt, ne, notInArray, or, sql, type SQL } from 'drizzle-orm';
import { imports, uploads, type Database, type OpenDatabase } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import type { FileStore } from '../../platform/files/index.js';
import { InjectConfig, InjectDatabase, InjectFiles, InjectOpenDatabase } from '../../platform/nest/index.js';
import { ScheduleService } from '../schedule/index.js';
import { ResumableFinish } from './resumable/resumable-finish.service.js';
import { PIECES, ResumableRecords } from './resumable/resumable-records.js';
import { UPLOADS } from './upload-records.js';

/** Days for which the file of a failed import waits for somebody to take it up again. */
const FAILED_DAYS = 7;
/** Days for which an upload is listed. */
const LISTED_DAYS = 90;
/** Files compared with the database at once. */
const CHUNK = 500;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Clears away what receivers that died left behind, and files that nobody needs any longer. */
@Injectable()
export class UploadSweep implements OnModuleInit {
  private readonly resumable: ResumableRecords;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectOpenDatabase() private readonly database: OpenDatabase,
    @InjectFiles() private readonly files: FileStore,
    @InjectConfig() private readonly config: Config,
    private readonly schedule: ScheduleService,
    private readonly finish: ResumableFinish,
  ) {
    this.resumable = new ResumableRecords(db);
  }

  async onModuleInit(): Promise<void> {
    // An embedded hub is the only process on its database: what is open now was left by a dead one. Resumable
    // uploads are no matter of a process: their senders go on.
    if (this.database.kind === 'pglite') await this.expire(isNull(uploads.metadata));
    this.schedule.registerPerProcess('uploads-sweep', this.config.sweepMs, (signal) => this.run(signal));
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.expire(lt(uploads.expiresAt, sql`now()`));
    await this.finish.sweep(signal);
    for await (const keys of this.chunksOf(UPLOADS, signal)) await this.deleteUnneeded(keys);
    for await (const keys of this.chunksOf(PIECES, signal)) await this.deletePieces(keys);
    await this.forgetOld();
  }

  private async *chunksOf(prefix: string, signal: AbortSignal): AsyncGenerator<string[]> {
    let chunk: string[] = [];
    for await (const key of this.files.list(prefix)) {
      signal.throwIfAborted();
      chunk.push(key);
      if (chunk.length < CHUNK) continue;
      yield chunk;
      chunk = [];
    }
    if (chunk.length > 0) yield chunk;
  }

  private async expire(which: SQL): Promise<void> {
    await this.db
      .update(uploads)
      .set({ state: 'expired', requestId: null, updatedAt: sql`now()` })
      .where(and(inArray(uploads.state, ['receiving', 'stored']), which));
  }

  private async deleteUnneeded(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const ids = keys.map((key) => key.slice(UPLOADS.length)).filter((id) => UUID.test(id));
    const needed = await this.db
      .select({ id: uploads.id })
      .from(uploads)
      .leftJoin(imports, eq(imports.id, uploads.importId))
      .where(and(inArray(uploads.id, ids), isNeeded()));
    const kept = new Set(needed.map(({ id }) => UPLOADS + id));
    for (const key of keys) if (!kept.has(key)) await this.files.delete(key);
  }

  /** Pieces of uploads that are whole by now, or at their end. */
  private async deletePieces(keys: readonly string[]): Promise<void> {
    const idOf = (key: string) => key.slice(PIECES.length).split('/', 1)[0] ?? '';
    const needed = await this.resumable.open([...new Set(keys.map(idOf))].filter((id) => UUID.test(id)));
    for (const key of keys) if (!needed.has(idOf(key))) await this.files.delete(key);
  }

  private async forgetOld(): Promise<void> {
    const old = this.db
      .select({ id: uploads.id })
      .from(uploads)
      .leftJoin(imports, eq(imports.id, uploads.importId))
      .where(and(lt(uploads.updatedAt, daysAgo(LISTED_DAYS)), sql`not coalesce(${isNeeded()}, false)`))
      .limit(CHUNK);
    await this.db.delete(uploads).where(inArray(uploads.id, old));
  }
}

/** True of an upload (joined with its import) whose bytes somebody will read, or may. */
function isNeeded(): SQL | undefined {
  const over = ['queued', 'running', 'held'] as const;
  const keepDays = sql`coalesce((${imports.source} -> 'pushed' ->> 'keepDays')::int, 0)`;
  const newer = sql`exists (select from ${imports} as newer where newer.source_id = ${imports.sourceId} and newer.sequence > ${imports.sequence})`;
  return or(
    inArray(uploads.state, ['receiving', 'stored']),
    and(
      // Not of one that joined the import of another upload.
      sql`${imports.source} -> 'pushed' ->> 'fileKey' = ${UPLOADS} || ${uploads.id}`,
      or(
        inArray(imports.state, [...over]),
        and(
          eq(imports.state, 'failed'),
          sql`${imports.finishedAt} > ${daysAgo(FAILED_DAYS)}`,
          sql`not ${newer}`,
        ),
        and(
          notInArray(imports.state, [...over]),
          ne(imports.state, 'failed'),
          sql`${imports.finishedAt} > now() - make_interval(days => ${keepDays})`,
        ),
      ),
    ),
  );
}

const daysAgo = (days: number): SQL => sql`now() - make_interval(days => ${days}::int)`;
