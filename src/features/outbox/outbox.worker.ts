import { Injectable, type OnModuleInit } from '@nestjs/common';
import { count } from 'drizzle-orm';
import { outbox, type Database } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { InjectConfig, InjectDatabase, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { ScheduleService } from '../schedule/index.js';
import { OutboxSender } from './outbox.sender.js';
import { OutboxService, SEND_HINT } from './outbox.service.js';

/** Has mails sent: at once when somebody nudges, and at every sweep what was left behind or failed. */
@Injectable()
export class OutboxWorker implements OnModuleInit {
  constructor(
    @InjectConfig() private readonly config: Config,
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    private readonly metrics: Metrics,
    private readonly schedule: ScheduleService,
    private readonly outbox: OutboxService,
    private readonly sender: OutboxSender,
  ) {}

  onModuleInit(): void {
    if (this.config.roles.has('worker')) {
      this.queue.process(SEND_HINT.kind, 1, async (_id, signal) => {
        await this.sender.sendWaiting(signal);
      });
    }
    this.schedule.register('outbox', this.config.sweepMs, () => this.outbox.nudge());
    this.metrics.watchOutbox(() => this.mailsByState());
  }

  private async mailsByState(): Promise<Record<string, number>> {
    const rows = await this.db
      .select({ state: outbox.state, mails: count() })
      .from(outbox)
      .groupBy(outbox.state);
    return Object.fromEntries(rows.map(({ state, mails }) => [state, mails]));
  }
}
