import { Injectable } from '@nestjs/common';
import { eq } from 'drizzle-orm';
import { ContextFactory } from '../../../host/context/index.js';
import { inputs, type Database } from '../../../platform/database/index.js';
import { Leases } from '../../../platform/lease/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { InjectDatabase, InjectLogger, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { ImportMail } from '../import-mail.js';
import { Scanner, type ScanResult } from './scanner.js';

/** Visits inputs: every ten minutes, after a file was replaced while it was read, and when somebody asks. */
@Injectable()
export class ScanService {
  private readonly scanner: Scanner;
  private readonly log: Logger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    contexts: ContextFactory,
    leases: Leases,
    private readonly mail: ImportMail,
    @InjectLogger() log: Logger,
  ) {
    this.scanner = new Scanner(db, contexts, leases, async (tx, row) => {
      if (row.error) await mail.failed(tx, row, row.error);
    });
    this.log = log.child({ context: 'scan' });
  }

  /** Lists the input's files and queues imports. Throws ConnectorError where they cannot be listed. */
  async scan(inputId: string, signal: AbortSignal): Promise<ScanResult> {
    const [input] = await this.db.select().from(inputs).where(eq(inputs.id, inputId));
    if (input === undefined || !input.enabled) {
      return { listed: 0, unchanged: 0, queued: [], refused: [], tombstoned: 0 };
    }
    const result = await this.scanner.scan(input, signal);
    for (const id of result.queued) await this.queue.enqueue({ kind: 'import', id });
    if (result.refused.length > 0) await this.mail.send();
    const { listed, unchanged, queued, refused } = result;
    const line = { inputId, listed, unchanged, queued: queued.length, refused: refused.length };
    if (queued.length + refused.length > 0) this.log.info(line, 'scanned');
    else this.log.debug(line, 'scanned');
    return result;
  }

  /** Asks workers to scan every enabled input. */
  async scanAll(): Promise<void> {
    const rows = await this.db.select({ id: inputs.id }).from(inputs).where(eq(inputs.enabled, true));
    for (const { id } of rows) await this.queue.enqueue({ kind: 'scan', id });
  }
}
