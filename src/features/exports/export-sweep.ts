import { Injectable } from '@nestjs/common';
import { and, eq, inArray, isNotNull, lte } from 'drizzle-orm';
import type { Clock } from '../../platform/clock/index.js';
import { exportsTable, type Database } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import type { FileStore } from '../../platform/files/index.js';
import { Leases, WorkLease } from '../../platform/lease/index.js';
import {
  InjectClock,
  InjectConfig,
  InjectDatabase,
  InjectFiles,
  InjectWorkQueue,
} from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { ScratchFolders } from './runner/scratch-folders.js';

/** Rows a run looks at; the rest waits for the next one. */
const LIMIT = 500;

/** Brings exports on that a dead process left, and deletes archives whose time is over. */
@Injectable()
export class ExportSweep {
  private readonly lease: WorkLease;
  private readonly scratch: ScratchFolders;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectFiles() private readonly files: FileStore,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    @InjectConfig() config: Config,
    leases: Leases,
  ) {
    this.lease = new WorkLease(db, leases, 'export');
    this.scratch = new ScratchFolders(config.dataDir);
  }

  /** At start-up and every minute. Any number of processes may run it at once. */
  async run(): Promise<void> {
    for (const id of await this.lease.due(LIMIT)) await this.queue.enqueue({ kind: 'export', id });
    await this.expire();
    await this.deleteArchives();
  }

  private async expire(): Promise<void> {
    await this.db
      .update(exportsTable)
      .set({ state: 'expired' })
      .where(and(eq(exportsTable.state, 'ready'), lte(exportsTable.expiresAt, this.clock.now())));
  }

  /** `fileKey` goes last, so that a file whose deletion was cut short is deleted by the next run. */
  private async deleteArchives(): Promise<void> {
    const rows = await this.db
      .select({ id: exportsTable.id, fileKey: exportsTable.fileKey })
      .from(exportsTable)
      .where(and(eq(exportsTable.state, 'expired'), isNotNull(exportsTable.fileKey)))
      .limit(LIMIT);
    for (const { id, fileKey } of rows) {
      if (fileKey) await this.files.delete(fileKey);
      await this.db.update(exportsTable).set({ fileKey: null }).where(eq(exportsTable.id, id));
    }
  }

  /** Removes what processes that died left in this data directory; work under way is marked running. */
  async clearScratch(): Promise<void> {
    const ids = await this.scratch.exportIds();
    if (ids.length === 0) return;
    const running = await this.db
      .select({ id: exportsTable.id })
      .from(exportsTable)
      .where(and(inArray(exportsTable.id, ids), eq(exportsTable.state, 'running')));
    const busy = new Set(running.map((row) => row.id));
    await this.scratch.remove(ids.filter((id) => !busy.has(id)));
  }
}
