import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { and, inArray } from 'drizzle-orm';
import { ContextFactory } from '../../host/context/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  imports,
  type Database,
  type ImportProblem,
  type OpenDatabase,
  type Transaction,
} from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import type { FileStore } from '../../platform/files/index.js';
import { FairTurns, Leases, WorkLease } from '../../platform/lease/index.js';
import type { Logger } from '../../platform/log/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import {
  InjectClock,
  InjectConfig,
  InjectDatabase,
  InjectFiles,
  InjectLogger,
  InjectOpenDatabase,
  InjectWarehouse,
  InjectWorkQueue,
} from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { DeliveryPlanner, LearnedIdentities } from '../deliveries/index.js';
import { Ledger } from '../ledger/index.js';
import { ScheduleService } from '../schedule/index.js';
import { ImportMail } from './import-mail.js';
import { BulkSteps } from './pipeline/bulk-steps.js';
import { countImport, pluginOf } from './pipeline/count-import.js';
import type { EndState, ImportListener } from './pipeline/import-listener.js';
import { ImportRecords } from './pipeline/import-records.js';
import { ImportRunner } from './pipeline/import-runner.js';
import type { ImportWork } from './pipeline/import-work.js';
import { ScanService } from './scan/scan.service.js';
import { dropStrangersDecisions } from './sql/kept-decisions.js';
import { dropWorkTables, importsWithWorkTables } from './sql/tables.js';

const TEN_MINUTES_MS = 10 * 60 * 1000;
/** The database's clock decides when an import is due; a hint that comes a little later finds it so. */
const CLOCK_SLACK_MS = 100;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Imports that a sweep queues again at once. */
const SWEEP_LIMIT = 1000;

/** Ties imports to the queue and the schedule. */
@Injectable()
export class ImportsWorker implements OnModuleInit, ImportListener {
  private readonly lease: WorkLease;
  private readonly records: ImportRecords;
  private readonly runner: ImportRunner;
  private readonly log: Logger;
  private readonly spoolRoot: string;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectOpenDatabase() private readonly database: OpenDatabase,
    @InjectWarehouse() private readonly warehouse: Warehouse,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectFiles() files: FileStore,
    @InjectClock() private readonly clock: Clock,
    @InjectConfig() private readonly config: Config,
    @InjectLogger() log: Logger,
    leases: Leases,
    contexts: ContextFactory,
    private readonly metrics: Metrics,
    private readonly scans: ScanService,
    private readonly mail: ImportMail,
    private readonly planner: DeliveryPlanner,
    private readonly learning: LearnedIdentities,
    private readonly schedule: ScheduleService,
  ) {
    this.log = log.child({ context: 'imports' });
    this.lease = new WorkLease(db, leases, 'import');
    this.spoolRoot = join(config.dataDir, 'spool', 'imports');
    this.records = new ImportRecords(db, this.lease);
    const steps = new BulkSteps(db, warehouse, new Ledger(warehouse), leases, clock);
    const { spoolRoot } = this;
    this.runner = new ImportRunner({
      warehouse,
      files,
      contexts,
      clock,
      log: this.log,
      db,
      lease: this.lease,
      records: this.records,
      steps,
      listener: this,
      spoolRoot,
    });
  }

  async onModuleInit(): Promise<void> {
    // An embedded hub is the only process on its database: what runs now was left by a dead one.
    if (this.database.kind === 'pglite') await this.lease.giveBackAll();
    if (this.config.roles.has('worker')) {
      this.queue.process('scan', 1, (id, signal) => this.scan(id, signal));
      const turns = new FairTurns(this.queue, this.lease);
      this.queue.process('import', this.config.importConcurrency, async (id, signal) => {
        if (await turns.comes(id)) await this.runner.run(id, signal);
      });
    }
    this.schedule.register('scan', TEN_MINUTES_MS, () => this.scans.scanAll());
    this.schedule.registerPerProcess('imports-sweep', this.config.sweepMs, () => this.sweep());
  }

  /** Queues what nobody works on, and clears what ended imports left behind. */
  async sweep(): Promise<void> {
    for (const id of await this.lease.due(SWEEP_LIMIT)) await this.queue.enqueue({ kind: 'import', id });
    // Folders first: they give space back even where a full disk keeps the engine from dropping tables.
    for (const id of await this.withoutLiving(await this.spooled())) {
      await rm(join(this.spoolRoot, id), { recursive: true, force: true });
    }
    for (const id of await this.withoutLiving(await importsWithWorkTables(this.warehouse))) {
      await dropWorkTables(this.warehouse, id);
    }
    await dropStrangersDecisions(this.warehouse, this.db);
  }

  async published(work: ImportWork, audienceId: number, version: number): Promise<void> {
    const { added, removed } = work.row;
    this.log.info({ importId: work.row.id, audienceId, version, added, removed }, 'audience imported');
    await this.planner.wake(audienceId);
  }

  async failed(tx: Transaction, work: ImportWork, problem: ImportProblem): Promise<void> {
    this.log.warn({ importId: work.row.id, code: problem.code, step: problem.step }, 'import failed');
    await this.mail.failed(tx, work.row, problem);
  }

  async held(tx: Transaction, work: ImportWork, problem: ImportProblem): Promise<void> {
    this.log.warn({ importId: work.row.id, code: problem.code }, 'import held');
    this.metrics.imports.inc({ state: 'held', plugin: pluginOf(work) });
    await this.mail.held(tx, work.row, problem);
  }

  async succeeded(tx: Transaction, work: ImportWork): Promise<void> {
    await this.mail.succeeded(tx, work.row);
  }

  async waits(importId: string, delayMs: number): Promise<void> {
    await this.queue.enqueue({ kind: 'import', id: importId }, { delayMs: delayMs + CLOCK_SLACK_MS });
  }

  async sourceChanged(work: ImportWork): Promise<void> {
    if (work.row.inputId) await this.queue.enqueue({ kind: 'scan', id: work.row.inputId });
  }

  async ended(work: ImportWork, state: EndState): Promise<void> {
    countImport(this.metrics, work, state, this.clock.now());
    await this.mail.send();
    // Whatever became of its members, it may have taught known people identities.
    await this.learning.wake(work.row.workspaceId);
    if (!work.row.sourceId) return;
    const next = await this.records.nextOfSource(work.row.sourceId);
    if (next !== undefined) await this.queue.enqueue({ kind: 'import', id: next });
  }

  /** Import ids that have a folder on this machine. */
  private async spooled(): Promise<string[]> {
    const names = await readdir(this.spoolRoot).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => UUID.test(name));
  }

  /** Those of the ids whose import is at its end or gone. */
  private async withoutLiving(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const living = await this.db
      .select({ id: imports.id })
      .from(imports)
      .where(and(inArray(imports.id, [...ids]), inArray(imports.state, ['queued', 'running', 'held'])));
    const alive = new Set(living.map((row) => row.id));
    return ids.filter((id) => !alive.has(id));
  }

  private async scan(inputId: string, signal: AbortSignal): Promise<void> {
    try {
      await this.scans.scan(inputId, signal);
    } catch (error) {
      if (signal.aborted) return;
      const { code } = error as { code?: string };
      this.log.warn({ inputId, code: code ?? 'UNEXPECTED' }, 'the input could not be listed');
    }
  }
}
