import { desc, eq, sql, type SQL } from 'drizzle-orm';
import type { AudienceStatus } from '../../../domain/matched/index.js';
import { audiences, imports, matchedUploads, type Database } from '../../../platform/database/index.js';

/** The newest import of each audience, to be joined laterally: what a status is told by. */
export function newestImport(db: Pick<Database, 'select'>) {
  return db
    .select({ state: imports.state, step: imports.step })
    .from(imports)
    .where(eq(imports.audienceId, audiences.id))
    .orderBy(desc(imports.sequence))
    .limit(1)
    .as('newest_import');
}

/**
 * The state of an audience in IQM's words, over audiences, their uploads and {@link newestImport}. In SQL, so that
 * lists are filtered by it where the rows are. An audience with a published version stays Ready while a refresh
 * waits; the file of an uploaded one has not to be fetched.
 */
export function statusSql({ state, step }: ReturnType<typeof newestImport>): SQL<AudienceStatus> {
  const published = sql`${audiences.version} > 0`;
  return sql<AudienceStatus>`case
    when ${audiences.approval} = 'rejected' then 'Rejected'
    when ${state} is null then case when ${published} then 'Ready' else 'Pending' end
    when ${state} = 'queued' then 'Pending'
    when ${state} = 'held' then case when ${published} then 'Ready' else 'Pending' end
    when ${state} in ('published', 'unchanged') then 'Ready'
    when ${state} = 'discarded' then case when ${published} then 'Ready' else 'Rejected' end
    when ${state} = 'failed' then 'Failed'
    when ${matchedUploads.audienceId} is not null then 'Processing'
    when ${step} = 'fetch' then 'Fetching Data'
    when ${step} = 'preflight' then 'Data Fetched'
    else 'Processing'
  end`;
}
