import { Injectable, type OnModuleInit } from '@nestjs/common';
import { inArray } from 'drizzle-orm';
import type { Clock } from '../../platform/clock/index.js';
import { erasures, type Database } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import {
  InjectClock,
  InjectConfig,
  InjectDatabase,
  InjectWarehouse,
  InjectWorkQueue,
} from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { ScheduleService } from '../schedule/index.js';
import { ErasurePeople } from './erasure-people.js';
import { ErasureRunner } from './erasure-runner.js';

const SWEEP_LIMIT = 1000;
const HOUR_MS = 60 * 60 * 1000;

/** Takes erasures from the queue in workers, and sweeps in schedulers. */
@Injectable()
export class ErasuresWorker implements OnModuleInit {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWarehouse() private readonly warehouse: Warehouse,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() private readonly clock: Clock,
    @InjectConfig() private readonly config: Config,
    private readonly schedule: ScheduleService,
    private readonly runner: ErasureRunner,
    private readonly people: ErasurePeople,
  ) {}

  onModuleInit(): void {
    this.schedule.registerPerProcess('erasures', this.config.sweepMs, () => this.sweep());
    this.schedule.register('forgotten-targets', HOUR_MS, () => this.dropOrphans());
    if (!this.config.roles.has('worker')) return;
    this.queue.process('erasure', 1, (id, signal) => this.runner.run(id, signal));
  }

  /** Queues what waits, and what a dead process left. */
  async sweep(): Promise<void> {
    for (const id of await this.runner.open(SWEEP_LIMIT)) await this.queue.enqueue({ kind: 'erasure', id });
  }

  /** Hashes of requests that ended before they had a row: nobody was told that they were taken. */
  async dropOrphans(): Promise<void> {
    const before = this.clock.now().getTime() - HOUR_MS;
    const old = await this.warehouse.query<{ id: string; workspace: number }>(
      `SELECT DISTINCT toString(erasure) AS id, workspace FROM erasure_targets
       WHERE at < fromUnixTimestamp64Milli(${before}, 'UTC')`,
    );
    if (old.length === 0) return;
    const ids = old.map(({ id }) => id);
    const rows = await this.db.select({ id: erasures.id }).from(erasures).where(inArray(erasures.id, ids));
    const known = new Set(rows.map(({ id }) => id));
    for (const key of old.filter(({ id }) => !known.has(id))) await this.people.forget(key);
  }
}
