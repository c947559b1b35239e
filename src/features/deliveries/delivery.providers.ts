import type { Provider } from '@nestjs/common';
import type { Clock } from '../../platform/clock/index.js';
import type { Database } from '../../platform/database/index.js';
import { Leases, WorkLease } from '../../platform/lease/index.js';
import type { Logger } from '../../platform/log/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { CLOCK, DATABASE, LOGGER, WAREHOUSE, WORK_QUEUE } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { FaultLog } from '../faults/index.js';
import { Ledger } from '../ledger/index.js';
import { DeliveryJournal } from './delivery-journal.js';
import { DeliveryPlanner } from './delivery-planner.js';
import { DeliveryRunner } from './delivery-runner.js';
import { DeliverySweep } from './delivery-sweep.js';
import { PartnerLines } from './partner-lines.js';

/** The classes of this feature that know no Nest, put together. */
export const DELIVERY_PROVIDERS: Provider[] = [
  {
    provide: DeliveryRunner,
    inject: [
      DATABASE,
      WAREHOUSE,
      WORK_QUEUE,
      CLOCK,
      LOGGER,
      Leases,
      FaultLog,
      DeliveryPlanner,
      PartnerLines,
      Metrics,
    ],
    useFactory: (
      db: Database,
      warehouse: Warehouse,
      queue: WorkQueue,
      clock: Clock,
      logger: Logger,
      leases: Leases,
      faults: FaultLog,
      planner: DeliveryPlanner,
      lines: PartnerLines,
      metrics: Metrics,
    ) => {
      const lease = new WorkLease(db, leases, 'delivery');
      const journal = new DeliveryJournal(db, lease, faults, clock, metrics);
      const log = logger.child({ context: 'deliveries' });
      const ledger = new Ledger(warehouse);
      return new DeliveryRunner({ db, ledger, lease, journal, planner, lines, queue, clock, log, metrics });
    },
  },
  {
    provide: DeliverySweep,
    inject: [DATABASE, WORK_QUEUE, CLOCK, Leases, DeliveryPlanner],
    useFactory: (db: Database, queue: WorkQueue, clock: Clock, leases: Leases, planner: DeliveryPlanner) =>
      new DeliverySweep({ db, queue, clock, planner, lease: new WorkLease(db, leases, 'delivery') }),
  },
];
