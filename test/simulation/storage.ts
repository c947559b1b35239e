import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PGlite, Transaction } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/pglite';
import type { Platform } from '../../src/app/platform.js';
import type { Clock } from '../../src/platform/clock/index.js';
import { LinkSigner, SecretBox } from '../../src/platform/crypto/index.js';
import type { Database } from '../../src/platform/database/index.js';
import { readConfig, type Config } from '../../src/platform/env/index.js';
import { Destinations, openFileStore, type FileStore } from '../../src/platform/files/index.js';
import { EgressGuard } from '../../src/platform/http/index.js';
import { Leases } from '../../src/platform/lease/index.js';
import { silentLogger } from '../../src/platform/log/index.js';
import { createMailer } from '../../src/platform/mail/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import type { Warehouse } from '../../src/platform/warehouse/index.js';
import { temporaryPglite, type TemporaryDatabase } from '../support/databases.js';
import { temporaryWarehouse } from '../support/warehouse.js';
import { AnsweringClient } from './answering-client.js';
import { mortal, type Life } from './life.js';

const TEST_NUMBERS = sql`create sequence simulated_tests`;
const TEST_IDS = sql`
  create function simulated_test_id() returns uuid language sql
  as $$ select md5('test ' || nextval('simulated_tests'))::uuid $$`;

/** No lease runs out by itself; a step says when. */
export const LEASE_MS = 24 * 3_600_000;

/** What outlives every process: database, warehouse and files. One a spec file. */
export class Storage {
  readonly #masterKey = Buffer.alloc(32, 7);
  readonly #client: PGlite;
  readonly #egress = new AnsweringClient();

  private constructor(
    private readonly folder: string,
    private readonly database: TemporaryDatabase,
    private readonly opened: Awaited<ReturnType<typeof temporaryWarehouse>>,
    private readonly config: Config,
    readonly files: FileStore,
  ) {
    this.#client = Reflect.get(database.db, '$client') as PGlite;
  }

  static async open(): Promise<Storage> {
    const folder = await mkdtemp(join(tmpdir(), 'hub-simulation-'));
    const database = await temporaryPglite();
    await database.db.execute(TEST_NUMBERS);
    await database.db.execute(TEST_IDS);
    await database.db.execute(sql`alter table ab_tests alter column id set default simulated_test_id()`);
    const warehouse = await temporaryWarehouse();
    const env = { HUB_DATA: folder, HUB_DEMO: 'false', HUB_ADMIN_KEY: 'the-admin-of-the-simulation' };
    const config = { ...readConfig(env), roles: new Set(['worker'] as const), leaseMs: LEASE_MS };
    return new Storage(folder, database, warehouse, config, openFileStore(config.files));
  }

  get db(): Database {
    return this.database.db;
  }

  get warehouse(): Warehouse {
    return this.opened.warehouse;
  }

  /** A/B tests get the same ids in every run: who is in which variant follows from them. */
  async numberTests(first: number): Promise<void> {
    await this.db.execute(sql`select setval('simulated_tests', ${first})`);
  }

  async close(): Promise<void> {
    await this.#egress.close();
    await this.opened.close();
    await this.database.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /**
   * The platform of one process.
   *
   * @param alone as on the embedded database: what is marked running was left by a dead process
   * @param nowMs by what it tells how long it has had a lease
   */
  platformOf(life: Life, clock: Clock, alone: boolean, nowMs: () => number): Platform {
    const db = mortalDatabase(this.#client, life);
    const guard = new EgressGuard({ allowPrivate: true });
    const database: Platform['database'] = {
      db,
      kind: alone ? 'pglite' : 'postgres',
      ping: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    return {
      config: this.config,
      log: silentLogger(),
      clock,
      mailer: createMailer({ from: 'hub@example.com' }),
      metrics: new Metrics(),
      database,
      warehouse: mortal(life, this.warehouse, ['query', 'rows', 'command', 'load', 'unload']),
      files: mortal(life, this.files, ['put', 'get', 'delete', 'stat']),
      guard,
      http: this.#egress,
      destinations: new Destinations({ guard }),
      secretBox: new SecretBox(this.#masterKey),
      linkSigner: new LinkSigner(this.#masterKey),
      leases: new Leases(db, LEASE_MS, nowMs),
      close: () => Promise.resolve(),
    };
  }
}

/** A transaction of a dead process is rolled back, unless its commit was the last thing that was done. */
function mortalDatabase(client: PGlite, life: Life): Database {
  const begin = (work: (tx: Transaction) => Promise<unknown>) =>
    life.call(() => client.transaction((tx) => work(mortal(life, tx, ['query', 'exec']))));
  const connection = new Proxy(mortal(life, client, ['query', 'exec']), {
    get: (of, key) => (key === 'transaction' ? begin : (Reflect.get(of, key, of) as unknown)),
  });
  return drizzle(connection, { casing: 'snake_case' });
}
