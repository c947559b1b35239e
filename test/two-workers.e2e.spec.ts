import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { codeOf } from '../src/domain/identities/index.js';
import {
  audiences,
  audienceVersions,
  deliveries,
  faults,
  workspaces,
} from '../src/platform/database/index.js';
import { temporaryPostgres } from './support/databases.js';
import { HubProcess } from './support/hub-process.js';
import { freeRedisPrefix } from './support/redis.js';
import { describeWith, serviceAvailable, SERVICE_URLS } from './support/services.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';
import { temporaryClickHouse } from './support/warehouse.js';

const BATCH_SIZE = 10;
const PATIENCE_MS = 90_000;

/** What the workers share, and the workers. */
class Cluster {
  hubs: HubProcess[] = [];
  workspaceId = '';
  #workspace = 0;
  nextMpid = 1;

  private constructor(
    private readonly root: string,
    readonly database: Awaited<ReturnType<typeof temporaryPostgres>>,
    private readonly clickHouse: Awaited<ReturnType<typeof temporaryClickHouse>>,
    private readonly redis: Awaited<ReturnType<typeof freeRedisPrefix>>,
    private readonly secretKey: string,
  ) {}

  static async start(): Promise<Cluster> {
    const root = await mkdtemp(join(tmpdir(), 'hub-cluster-'));
    const [database, clickHouse, redis] = await Promise.all([
      temporaryPostgres(),
      temporaryClickHouse(),
      freeRedisPrefix(),
    ]);
    const cluster = new Cluster(root, database, clickHouse, redis, randomBytes(32).toString('hex'));
    cluster.hubs = await Promise.all([cluster.hub('one'), cluster.hub('other')]);
    const { id: organizationId } = await cluster.api<{ id: string }>('POST', '/organizations', {
      name: 'Two',
    });
    const workspace = { organizationId, name: 'W', seatId: '1' };
    cluster.workspaceId = (await cluster.api<{ id: string }>('POST', '/workspaces', workspace)).id;
    const [row] = await database.db.select().from(workspaces).where(eq(workspaces.id, cluster.workspaceId));
    cluster.#workspace = row?.number ?? 0;
    return cluster;
  }

  /** A hub that works on one delivery at a time. */
  private hub(name: string): Promise<HubProcess> {
    return HubProcess.start({
      HUB_DATA: join(this.root, name),
      HUB_SECRET_KEY: this.secretKey,
      DATABASE_URL: this.database.url,
      CLICKHOUSE_URL: this.clickHouse.server.url,
      REDIS_URL: SERVICE_URLS.Redis,
      HUB_REDIS_PREFIX: this.redis.prefix,
      HUB_DELIVERY_CONCURRENCY: '1',
      HUB_LEASE_MS: '3000',
      HUB_SWEEP_MS: '500',
    });
  }

  /** Asks a hub that is up. */
  api<Body>(method: string, path: string, body?: object): Promise<Body> {
    const [hub] = this.hubs;
    if (!hub) throw new Error('No hub is up.');
    return hub.api<Body>(method, path, body);
  }

  async close(): Promise<void> {
    await Promise.all(this.hubs.map((hub) => hub.kill()));
    await Promise.all([this.database.close(), this.clickHouse.close(), this.redis.clear()]);
    await rm(this.root, { recursive: true, force: true });
  }

  /** An audience of `size` people whom no other audience has, at version 1. */
  async audience(name: string, size: number): Promise<number> {
    const { db } = this.database;
    const from = this.nextMpid;
    this.nextMpid += size;
    const row = { workspaceId: this.workspaceId, name, kind: 'imported' as const, version: 1, size };
    const [made] = await db.insert(audiences).values(row).returning();
    const audienceId = made?.id ?? 0;
    await db.insert(audienceVersions).values({ audienceId, version: 1, size, added: size, removed: 0 });
    const { warehouse } = this.clickHouse;
    const people = `FROM numbers(${from}, ${size})`;
    await warehouse.command(`INSERT INTO ledger SELECT ${audienceId}, number, 1, 1, now64(3) ${people}`);
    await warehouse.command(
      `INSERT INTO profiles SELECT ${this.#workspace}, number, ${codeOf('email')}, concat('p', toString(number), '@example.com') ${people}`,
    );
    return audienceId;
  }

  async output(url: string, settings: object): Promise<string> {
    const output = {
      workspaceId: this.workspaceId,
      plugin: 'webhook',
      name: url,
      settings: { url, batchSize: BATCH_SIZE, ...settings },
      credentials: { secret: 'cluster-test-secret-0123456789' },
    };
    return (await this.api<{ id: string }>('POST', '/outputs', output)).id;
  }

  /** Connects audiences of `size` to the output, one after another, all to be sent at once. */
  async connect(outputId: string, names: readonly string[], size: number): Promise<string[]> {
    const ids: string[] = [];
    for (const name of names) {
      const audienceId = await this.audience(name, size);
      const connection = { outputId, status: 'active' };
      const path = `/audiences/${audienceId}/connections`;
      ids.push((await this.api<{ id: string }>('POST', path, connection)).id);
    }
    return ids;
  }

  /** The deliveries of the connections once all are delivered. */
  async delivered(connectionIds: readonly string[]) {
    return until(
      'all is delivered',
      async () => {
        const rows = await this.database.db.select().from(deliveries);
        const own = rows.filter(({ connectionId }) => connectionIds.includes(connectionId));
        const all = own.length === connectionIds.length && own.every(({ state }) => state === 'delivered');
        return all ? own : undefined;
      },
      PATIENCE_MS,
    );
  }
}

// Both are needed: the one that is missing is named.
const needed = (await serviceAvailable('PostgreSQL')) ? 'Redis' : 'PostgreSQL';

await describeWith(needed, 'two workers on PostgreSQL, Redis and ClickHouse', () => {
  let cluster: Cluster;
  let sink: Sink;
  beforeAll(async () => {
    cluster = await Cluster.start();
  }, 180_000);
  afterAll(() => cluster?.close());
  beforeEach(async () => {
    sink = await Sink.start();
  });
  afterEach(() => sink.stop());

  it('keep to the rate of a partner together, and lose less than a tenth of the time to it', async () => {
    const rateLimit = { requests: 20, perSeconds: 10 };
    const cameMs: number[] = [];
    let refused = 0;
    // Stricter than any partner: no ten seconds, wherever they begin, may see more than twenty.
    sink.failure = () => {
      const nowMs = performance.now();
      cameMs.push(nowMs);
      if (cameMs.filter((earlierMs) => nowMs - earlierMs < 10_000).length <= 20) return undefined;
      refused += 1;
      return { status: 429, headers: { 'retry-after': '1' } };
    };
    const outputId = await cluster.output(sink.url, { rateLimit, concurrency: 4 });
    // Nineteen batches and the making of the audience, each: two windows.
    const connectionIds = await cluster.connect(outputId, ['Bikers', 'Hikers'], 19 * BATCH_SIZE);
    const done = await cluster.delivered(connectionIds);
    expect(refused).toBe(0);
    expect(cameMs).toHaveLength(40);
    const tookMs = (first: number, last: number) => (cameMs[last] ?? 0) - (cameMs[first] ?? 0);
    // At best the second twenty begin ten seconds after the first, and take as long.
    expect(tookMs(0, 39)).toBeLessThanOrEqual((10_000 + tookMs(0, 19)) * 1.1);
    expect(sink.doubled).toEqual([]);
    expect(sink.members.size).toBe(2 * 19 * BATCH_SIZE);
    for (const { accepted, attempts } of done) expect([accepted, attempts]).toEqual([19 * BATCH_SIZE, 1]);
  }, 120_000);

  it('bring everybody to the partner once, though one of them is killed on the way', async () => {
    // The one that is not asked for anything here.
    const victim = cluster.hubs.at(-1);
    const seen = new Set<boolean>();
    let killed = false;
    sink.failure = () => {
      const [mpid] = sink.batches.at(-1)?.mpids ?? [];
      if (mpid !== undefined) seen.add(Number(mpid) >= secondFrom);
      if (killed || seen.size < 2) return undefined;
      // Each worker is at one of the two.
      killed = true;
      void victim?.kill();
      return undefined;
    };
    const secondFrom = cluster.nextMpid + 200;
    // Slow enough that the first is not over when the second begins.
    const outputId = await cluster.output(sink.url, { rateLimit: { requests: 5, perSeconds: 1 } });
    const connectionIds = await cluster.connect(outputId, ['Climbers', 'Divers'], 20 * BATCH_SIZE);
    await until('one is killed', () => killed, PATIENCE_MS);
    cluster.hubs = cluster.hubs.filter((hub) => hub !== victim);
    const done = await cluster.delivered(connectionIds);
    expect(new Set(done.map(({ attempts }) => attempts))).toEqual(new Set([1, 2]));
    for (const { planned, accepted } of done) expect([planned, accepted]).toEqual([200, 200]);
    expect(sink.doubled).toEqual([]);
    expect(sink.members.size).toBe(400);
    expect(await cluster.database.db.$count(faults)).toBe(0);
  }, 120_000);
});
