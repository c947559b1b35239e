import { Injectable } from '@nestjs/common';
import { and, eq, notInArray } from 'drizzle-orm';
import { ContextFactory } from '../../../host/context/index.js';
import { PluginRegistry } from '../../../host/registry/index.js';
import { isScheduled } from '../../../kit/index.js';
import { inputs, type Database, type ImportProblem } from '../../../platform/database/index.js';
import { Leases } from '../../../platform/lease/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { InjectDatabase, InjectLogger, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { ImportMail } from '../import-mail.js';
import { NewImports } from './new-imports.js';
import { Scanner, type ScanResult } from './scanner.js';

type Input = typeof inputs.$inferSelect;

const NOTHING: ScanResult = { listed: 0, unchanged: 0, queued: [], refused: [], tombstoned: 0 };

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
    private readonly imports: NewImports,
    private readonly plugins: PluginRegistry,
    @InjectLogger() log: Logger,
  ) {
    this.scanner = new Scanner(db, contexts, leases, imports);
    this.log = log.child({ context: 'scan' });
  }

  /** Lists the input's files and queues imports. Throws ConnectorError where they cannot be listed. */
  async scan(inputId: string, signal: AbortSignal): Promise<ScanResult> {
    const [input] = await this.db.select().from(inputs).where(eq(inputs.id, inputId));
    if (input === undefined || !input.enabled) {
      return NOTHING;
    }
    return this.report(input.id, await this.scanner.scan(input, signal));
  }

  /** As {@link scan}, of these keys alone. The imports are written down when this resolves. */
  async scanKeys(input: Input, keys: readonly string[], signal: AbortSignal): Promise<ScanResult> {
    if (!input.enabled || keys.length === 0) return NOTHING;
    return this.report(input.id, await this.scanner.scanKeys(input, keys, signal));
  }

  /** Remembers at the input what is wrong with what it was told. */
  noteError(input: Input, problem: ImportProblem): Promise<void> {
    return this.scanner.noteError(input, problem);
  }

  private async report(inputId: string, result: ScanResult): Promise<ScanResult> {
    await this.imports.begin(result.queued);
    if (result.refused.length > 0) await this.mail.send();
    const { listed, unchanged, queued, refused } = result;
    const line = { inputId, listed, unchanged, queued: queued.length, refused: refused.length };
    if (queued.length + refused.length > 0) this.log.info(line, 'scanned');
    else this.log.debug(line, 'scanned');
    return result;
  }

  /** Asks workers to scan every enabled input that is visited. */
  async scanAll(): Promise<void> {
    // A plugin that is not loaded fails where its input is scanned, and says so there.
    const pushed = this.plugins.all().filter((plugin) => plugin.kind === 'input' && !isScheduled(plugin));
    const rows = await this.db
      .select({ id: inputs.id })
      .from(inputs)
      .where(
        and(
          eq(inputs.enabled, true),
          notInArray(
            inputs.plugin,
            pushed.map(({ id }) => id),
          ),
        ),
      );
    for (const { id } of rows) await this.queue.enqueue({ kind: 'scan', id });
  }
}
