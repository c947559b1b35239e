import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openClickHouse } from '../src/platform/warehouse/index.js';
import { startClickHouse, type ClickHouseServer } from './support/clickhouse-server/start.js';
import { temporaryPostgres } from './support/databases.js';
import { HubProcess } from './support/hub-process.js';
import { freeRedisPrefix } from './support/redis.js';
import { describeWith, SERVICE_URLS } from './support/services.js';
import { until } from './support/until.js';

/** Files of each of twenty seats. The first one's are queued before all others. */
const FILES = [50, ...Array.from({ length: 10 }, () => 1), ...Array.from({ length: 9 }, () => 5)];
const TOTAL = FILES.reduce((sum, files) => sum + files, 0);
/** Published by either worker before one of them is killed in the middle of an import. */
const BEFORE_KILL = 50;

interface Listed<T> {
  items: T[];
  total: number;
}
interface ImportView {
  id: string;
  state: string;
  version: number | null;
  sourceKey: string;
  startedAt: string;
  finishedAt: string;
}
const seatId = (seat: number) => String(100 + seat);
const audienceName = (seat: number, file: number) => `Audience ${seat}-${file}`;

/** Three people that only this file has, and one that is in all files. */
const people = (seat: number, file: number) => [
  'everywhere@example.com',
  ...[0, 1, 2].map((n) => `person${seat}-${file}-${n}@example.com`),
];

/** Processes that share PostgreSQL, Redis, a ClickHouse server, a folder for files and nothing else. */
await describeWith('PostgreSQL', 'twenty seats on two workers', (postgresUrl) => {
  let root: string;
  let database: Awaited<ReturnType<typeof temporaryPostgres>>;
  let redis: Awaited<ReturnType<typeof freeRedisPrefix>>;
  let clickHouse: ClickHouseServer;
  let api: HubProcess;
  let workers: HubProcess[] = [];

  const start = (name: string, roles: string) =>
    HubProcess.start({
      HUB_DATA: join(root, name),
      HUB_ROLES: roles,
      HUB_FILES: join(root, 'files'),
      HUB_SECRET_KEY: secretKey,
      DATABASE_URL: database.url,
      CLICKHOUSE_URL: clickHouse.url,
      REDIS_URL: SERVICE_URLS.Redis,
      HUB_REDIS_PREFIX: redis.prefix,
      HUB_LEASE_MS: '3000',
      HUB_SWEEP_MS: '1000',
      HUB_IMPORT_CONCURRENCY: '2',
    });
  const secretKey = randomBytes(32).toString('hex');

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'hub-seats-'));
    [database, redis, clickHouse] = await Promise.all([
      temporaryPostgres({ serverUrl: postgresUrl }),
      freeRedisPrefix(),
      startClickHouse(),
    ]);
    api = await start('api', 'api,scheduler');
  });
  afterAll(async () => {
    await Promise.all([api, ...workers].map((hub) => hub?.kill()));
    await Promise.all([clickHouse?.stop(), database?.close(), redis?.clear()]);
    await rm(root, { recursive: true, force: true });
  });

  async function drop(seat: number, file: number): Promise<void> {
    const path = join(root, `drop/onboarding/seat_id=${seatId(seat)}/files/${audienceName(seat, file)}.csv`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, ['Email', ...people(seat, file), ''].join('\n'));
    // Old enough to count as whole at once.
    const past = new Date(Date.now() - 60_000);
    await utimes(path, past, past);
  }

  async function queueEverything(): Promise<void> {
    const { id: organizationId } = await api.api<{ id: string }>('POST', '/organizations', { name: 'Seats' });
    const made = await Promise.all(
      FILES.map((_, seat) =>
        api.api<{ id: string }>('POST', '/workspaces', { organizationId, name: 'W', seatId: seatId(seat) }),
      ),
    );
    const settings = { path: join(root, 'drop'), layout: 'iqm' };
    const own = { workspaceId: made[0]?.id, plugin: 'folder-drop', name: 'drop', settings };
    const input = await api.api<{ id: string }>('POST', '/inputs', { ...own, routing: 'organization' });
    const queue = async (seats: readonly number[]) => {
      // The schedule's scan at the full ten minutes would queue some of them.
      await until('no scan is near', () => Date.now() % 600_000 < 580_000, 30_000);
      for (const seat of seats) {
        await Promise.all(Array.from({ length: FILES[seat] ?? 0 }, (_, file) => drop(seat, file)));
      }
      const scan = await api.api<{ queued: string[] }>('POST', `/inputs/${input.id}/scan`);
      return scan.queued.length;
    };
    // All of the first seat's are asked for before any other's.
    const [big = 0, ...others] = FILES.keys();
    expect(await queue([big])).toBe(FILES[big]);
    expect(await queue(others)).toBe(TOTAL - (FILES[big] ?? 0));
  }

  const published = (hub: HubProcess) => hub.lines.filter(({ msg }) => msg === 'audience imported').length;

  /** Kills a worker while it is inside an import of which it has written something already. */
  async function killAmidst(worker: HubProcess): Promise<void> {
    const done = () => workers.reduce((sum, each) => sum + published(each), 0);
    await until('enough is published', () => done() >= BEFORE_KILL, 90_000);
    let killed: Promise<void> | undefined;
    worker.onLine((line) => {
      if (line.msg === 'import step' && line.step === 'commit') killed ??= worker.kill();
    });
    await until('it is killed', () => killed !== undefined);
    await killed;
  }

  async function allImports(): Promise<ImportView[]> {
    return until(
      'all imports are at their end',
      async () => {
        const { items } = await api.api<Listed<ImportView>>('GET', '/imports?pageSize=1000');
        const failed = items.find(({ state }) => !['queued', 'running', 'published'].includes(state));
        if (failed) throw new Error(`An import went wrong: ${JSON.stringify(failed)}`);
        return items.every(({ state }) => state === 'published') ? items : undefined;
      },
      120_000,
    );
  }

  it('imports every file once and right although one worker is killed, and makes no seat wait for another', async () => {
    await queueEverything();
    const [first, second] = await Promise.all([start('worker-1', 'worker'), start('worker-2', 'worker')]);
    workers = [first, second];
    await killAmidst(first);
    const imports = await allImports();

    // Each file once, as version 1 of an audience of its own.
    expect(imports).toHaveLength(TOTAL);
    expect(new Set(imports.map(({ sourceKey }) => sourceKey)).size).toBe(TOTAL);
    expect(new Set(imports.map(({ version }) => version))).toEqual(new Set([1]));
    await expectMembers();

    const endsOf = (seat: number) =>
      imports
        .filter(({ sourceKey }) => sourceKey.includes(`seat_id=${seatId(seat)}/`))
        .map(({ finishedAt }) => Date.parse(finishedAt))
        .toSorted((a, b) => a - b);
    const big = endsOf(0);
    const lastQuarter = big[Math.floor(big.length * 0.75)] ?? 0;
    for (const [seat, files] of FILES.entries()) {
      if (files === 1) expect(endsOf(seat)[0]).toBeLessThan(lastQuarter);
    }
  }, 300_000);

  /** Every audience has its people, and each person is one profile in all of them. */
  async function expectMembers(): Promise<void> {
    const { items, total } = await api.api<Listed<{ id: number; name: string }>>(
      'GET',
      '/audiences?pageSize=1000',
    );
    expect(total).toBe(TOTAL);
    const idOf = new Map(items.map(({ id, name }) => [name, id]));
    const members = await membersByAudience();
    for (const [seat, files] of FILES.entries()) {
      for (let file = 0; file < files; file += 1) {
        const found = members.get(idOf.get(audienceName(seat, file)) ?? 0) ?? [];
        expect(found.toSorted()).toEqual(people(seat, file).toSorted());
      }
    }
  }

  /** E-mail addresses of the members of each audience, as the ledger and the identities say. */
  async function membersByAudience(): Promise<Map<number, string[]>> {
    const warehouse = openClickHouse(clickHouse.url);
    try {
      const rows = await warehouse.query<{ audience: string; emails: string[]; profiles: string }>(`
        SELECT audience_id AS audience, arraySort(groupArray(value)) AS emails, uniqExact(mpid) AS profiles
        FROM (
          SELECT audience_id, mpid FROM ledger GROUP BY audience_id, mpid HAVING argMax(sign, version) = 1
        ) AS member
        INNER JOIN (SELECT DISTINCT mpid, value FROM profiles) AS identity USING mpid
        GROUP BY audience_id`);
      for (const { emails, profiles } of rows) expect(Number(profiles)).toBe(emails.length);
      return new Map(rows.map(({ audience, emails }) => [Number(audience), emails]));
    } finally {
      await warehouse.close();
    }
  }
});
