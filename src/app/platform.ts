import type { Clock } from '../platform/clock/index.js';
import type { LinkSigner, SecretBox } from '../platform/crypto/index.js';
import type { OpenDatabase } from '../platform/database/index.js';
import type { Config } from '../platform/env/index.js';
import type { Destinations, FileStore } from '../platform/files/index.js';
import type { EgressClient, EgressGuard } from '../platform/http/index.js';
import type { Leases } from '../platform/lease/index.js';
import type { Logger } from '../platform/log/index.js';
import type { Mailer } from '../platform/mail/index.js';
import type { Metrics } from '../platform/metrics/index.js';
import type { Warehouse } from '../platform/warehouse/index.js';

/** Everything the hub stands on, open. The work queue is missing: Nest owns Bull's queues. */
export interface Platform {
  config: Config;
  log: Logger;
  clock: Clock;
  database: OpenDatabase;
  warehouse: Warehouse;
  files: FileStore;
  mailer: Mailer;
  metrics: Metrics;
  guard: EgressGuard;
  http: EgressClient;
  destinations: Destinations;
  secretBox: SecretBox;
  linkSigner: LinkSigner;
  leases: Leases;
  /** Closes everything in the opposite order of opening; never throws. */
  close(): Promise<void>;
}
