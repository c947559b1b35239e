import type { Provider } from '@nestjs/common';
import { PluginRegistry } from '../../host/registry/index.js';
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
import { LearnedIdentities } from './learned-identities.js';
import { PartnerLines } from './partner-lines.js';
import { RemovalForecast } from './removal/removal-forecast.js';
import { RemovalJournal } from './removal/removal-journal.js';
import { RemovalPlanner } from './removal/removal-planner.js';
import { RemovalWork } from './removal/removal-work.js';
import { SharedLists } from './removal/shared-lists.js';

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
      LearnedIdentities,
      PartnerLines,
      Metrics,
      RemovalPlanner,
      RemovalForecast,
      SharedLists,
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
      learning: LearnedIdentities,
      lines: PartnerLines,
      metrics: Metrics,
      removalPlanner: RemovalPlanner,
      forecast: RemovalForecast,
      lists: SharedLists,
    ) => {
      const lease = new WorkLease(db, leases, 'delivery');
      const journal = new DeliveryJournal(db, lease, faults, clock, metrics);
      const log = logger.child({ context: 'deliveries' });
      const ledger = new Ledger(warehouse);
      const work = { db, ledger, lease, queue, clock };
      const ends = new RemovalJournal(db, lease, faults, clock);
      const removals = {
        planner: removalPlanner,
        work: new RemovalWork({ ...work, journal, ends, forecast, lists }),
        journal: ends,
      };
      const parts = { journal, planner, learning, removals, lists, faults, lines, log, metrics };
      return new DeliveryRunner({ ...work, ...parts });
    },
  },
  {
    provide: DeliverySweep,
    inject: [DATABASE, WORK_QUEUE, CLOCK, Leases, DeliveryPlanner, LearnedIdentities, RemovalPlanner],
    useFactory: (
      db: Database,
      queue: WorkQueue,
      clock: Clock,
      leases: Leases,
      planner: DeliveryPlanner,
      learning: LearnedIdentities,
      removals: RemovalPlanner,
    ) => {
      const lease = new WorkLease(db, leases, 'delivery');
      return new DeliverySweep({ db, queue, clock, planner, learning, removals, lease });
    },
  },
  {
    provide: LearnedIdentities,
    inject: [DATABASE, WAREHOUSE, PluginRegistry, WORK_QUEUE],
    useFactory: (db: Database, warehouse: Warehouse, registry: PluginRegistry, queue: WorkQueue) =>
      new LearnedIdentities(db, new Ledger(warehouse), registry, queue),
  },
];
