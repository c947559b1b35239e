import { ConnectionRemovals } from '../../src/features/connections/index.js';
import type { DeliveryJournal } from '../../src/features/deliveries/delivery-journal.js';
import type { PartnerLines } from '../../src/features/deliveries/partner-lines.js';
import { RemovalForecast } from '../../src/features/deliveries/removal/removal-forecast.js';
import { RemovalJournal } from '../../src/features/deliveries/removal/removal-journal.js';
import { RemovalPlanner } from '../../src/features/deliveries/removal/removal-planner.js';
import { RemovalWork } from '../../src/features/deliveries/removal/removal-work.js';
import { SharedLists } from '../../src/features/deliveries/removal/shared-lists.js';
import type { FaultLog } from '../../src/features/faults/index.js';
import type { Ledger } from '../../src/features/ledger/index.js';
import type { ContextFactory } from '../../src/host/context/index.js';
import type { PluginRegistry } from '../../src/host/registry/index.js';
import type { TestClock } from '../../src/platform/clock/testing/test-clock.js';
import type { Database } from '../../src/platform/database/index.js';
import type { WorkLease } from '../../src/platform/lease/index.js';
import type { WorkQueue } from '../../src/platform/queue/index.js';

/** The parts that take away whom deleted connections had sent. */
export function removalsOf(parts: {
  db: Database;
  ledger: Ledger;
  lease: WorkLease;
  journal: DeliveryJournal;
  registry: PluginRegistry;
  contexts: ContextFactory;
  lines: PartnerLines;
  queue: WorkQueue;
  clock: TestClock;
  faultLog: FaultLog;
}) {
  const { db, lease, registry, contexts, lines, queue, clock, faultLog } = parts;
  const lists = new SharedLists(db, registry, contexts);
  const journal = new RemovalJournal(db, lease, faultLog, clock);
  const forecast = new RemovalForecast(lines, lists);
  const work = new RemovalWork({ ...parts, ends: journal, forecast, lists });
  const planner = new RemovalPlanner(db, queue, clock, faultLog);
  const deletion = new ConnectionRemovals(db, queue, clock, forecast, planner, faultLog);
  return { planner, work, journal, lists, deletion };
}
