import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { FileStore } from '../../platform/files/index.js';
import type { Logger } from '../../platform/log/index.js';
import { InjectFiles, InjectLogger } from '../../platform/nest/index.js';
import { ScheduleService } from '../schedule/index.js';

const EVERY_MS = 3_600_000;

/** Clears away files that processes had half written when they died: bytes that no key leads to. */
@Injectable()
export class DraftSweep implements OnModuleInit {
  private readonly log: Logger;

  constructor(
    @InjectFiles() private readonly files: FileStore,
    @InjectLogger() log: Logger,
    private readonly schedule: ScheduleService,
  ) {
    this.log = log.child({ context: 'intake' });
  }

  onModuleInit(): void {
    this.schedule.register('drafts-sweep', EVERY_MS, () => this.run());
  }

  async run(): Promise<void> {
    const cleared = await this.files.clearDrafts('stale');
    if (cleared > 0) this.log.info({ cleared }, 'cleared away files that a dead process had half written');
  }
}
