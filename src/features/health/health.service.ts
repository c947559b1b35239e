import { Injectable } from '@nestjs/common';
import type { OpenDatabase } from '../../platform/database/index.js';
import { InjectOpenDatabase, InjectWarehouse, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { PartWatch } from './part-watch.js';

export type PartHealth = 'ok' | 'failing';

/** How the parts do that the hub cannot work without. */
@Injectable()
export class HealthService {
  private readonly database: PartWatch;
  private readonly warehouse: PartWatch;
  private readonly queue: PartWatch;

  constructor(
    @InjectOpenDatabase() database: OpenDatabase,
    @InjectWarehouse() warehouse: Warehouse,
    @InjectWorkQueue() queue: WorkQueue,
  ) {
    this.database = new PartWatch(() => database.ping());
    this.warehouse = new PartWatch(() => warehouse.ping());
    this.queue = new PartWatch(() => queue.counts());
  }

  async parts(): Promise<{ database: PartHealth; warehouse: PartHealth; queue: PartHealth }> {
    const [database, warehouse, queue] = await Promise.all([
      this.database.isWell(),
      this.warehouse.isWell(),
      this.queue.isWell(),
    ]);
    return { database: word(database), warehouse: word(warehouse), queue: word(queue) };
  }
}

function word(ok: boolean): PartHealth {
  return ok ? 'ok' : 'failing';
}
