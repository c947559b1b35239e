import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'drizzle-orm';
import { AUDIENCE_STATUSES } from '../../src/domain/matched/index.js';
import { audiences, imports, type Database } from '../../src/platform/database/index.js';
import { DATABASE } from '../../src/platform/nest/index.js';
import { startClickHouse, type ClickHouseServer } from '../support/clickhouse-server/start.js';
import { temporaryPostgres, type TemporaryDatabase } from '../support/databases.js';
import { startTestHub, type TestHub } from '../support/hub.js';
import {
  iqmCall,
  logIn,
  logInAnswer,
  makeIqmAccount,
  type IqmAccount,
  forgetRequests,
} from '../support/iqm.js';
import { describeWith } from '../support/services.js';

const COLUMN_LIST = '/api/v3/audience/static/matched/column-list';

let hub: TestHub;
let account: IqmAccount;

const database = (): Database => hub.hub.app.get<Database>(DATABASE);
const columnList = (headers: Record<string, string>, url = hub.url) =>
  iqmCall(url, 'POST', COLUMN_LIST, headers);
/** Counts are per caller: what other tests used up is given back. */
const freshMinute = () => forgetRequests(hub);

beforeAll(async () => {
  hub = await startTestHub();
  account = await makeIqmAccount(hub);
}, 120_000);

afterAll(async () => {
  await hub?.stop();
});

interface ListAnswer {
  data: { data: { id: number; status: string }[]; totalRecords: number; filteredRecords: number };
}
const LIST = '/api/v3/audience/matched';

describe('the list of matched audiences', () => {
  it('is filtered by every status, in pages that follow one another', async () => {
    const own = await makeIqmAccount(hub);
    const as = await logIn(hub.url, own);
    const { workspaceId } = own;
    const db = database();
    const list = async (body: object) =>
      (await iqmCall<ListAnswer>(hub.url, 'POST', LIST, as, body)).body.data;
    const cases = [
      ['Rejected', { approval: 'rejected', version: 1 }, { state: 'published' }],
      ['Pending', {}, undefined],
      ['Ready', { version: 2 }, undefined],
      ['Pending', { version: 2 }, { state: 'queued' }],
      ['Pending', {}, { state: 'held' }],
      ['Ready', { version: 1 }, { state: 'held' }],
      ['Ready', { version: 1 }, { state: 'published' }],
      ['Ready', { version: 1 }, { state: 'unchanged' }],
      ['Rejected', {}, { state: 'discarded' }],
      ['Ready', { version: 1 }, { state: 'discarded' }],
      ['Failed', { version: 1 }, { state: 'failed' }],
      ['Fetching Data', {}, { state: 'running', step: 'fetch' }],
      ['Data Fetched', {}, { state: 'running', step: 'preflight' }],
      ['Processing', {}, { state: 'running', step: 'resolve' }],
    ] as const;
    // Of no process: nobody takes them up.
    const lease = { leaseOwner: randomUUID(), leaseUntil: new Date(Date.now() + 3_600_000) };
    for (const [index, [, more, last]] of cases.entries()) {
      const row = { workspaceId, name: `Status ${index}`, kind: 'matched' as const, ...more };
      const [made] = await db.insert(audiences).values(row).returning();
      const file = { workspaceId, sourceKey: row.name, revision: '1', audienceName: row.name, source: {} };
      const older = { ...file, ...lease, audienceId: made?.id ?? 0, state: 'failed' as const };
      if (last) await db.insert(imports).values([older, { ...older, revision: '2', ...last }]);
    }
    await freshMinute();
    const { data } = await list({ sortBy: '+id', noOfEntries: 100 });
    expect(data.map(({ status }) => status)).toEqual(cases.map(([status]) => status));
    for (const { id, name } of AUDIENCE_STATUSES) {
      const expected = data.filter(({ status }) => status === name).map((one) => one.id);
      const page = (pageNo: number) =>
        list({ sortBy: '+id', noOfEntries: 2, pageNo, audienceStatusIds: [id] });
      const pages = [await page(1), await page(2), await page(3)];
      await freshMinute();
      expect(pages.flatMap((one) => one.data.map((row) => row.id))).toEqual(expected);
      expect(pages[0]).toMatchObject({ totalRecords: cases.length, filteredRecords: expected.length });
    }
  });
});

describe('the lists', () => {
  it('of columns is the one of the quickstart', async () => {
    const { body } = await columnList(await logIn(hub.url, await makeIqmAccount(hub)));
    expect(body).toMatchObject({ statusCode: 200 });
    const { mandatoryColumns, voterIDColumns, optionalColumns } = body.responseObject as Record<
      string,
      object[]
    >;
    expect([mandatoryColumns?.length, voterIDColumns?.length, optionalColumns?.length]).toEqual([4, 1, 11]);
    expect(mandatoryColumns?.[0]).toEqual({ id: 2, name: 'First Name', l2Name: 'Voters_FirstName' });
    expect(voterIDColumns).toEqual([{ id: 1, name: 'Voter ID', l2Name: 'LalVoterID' }]);
  });

  it.each([
    ['column-combinations', 8],
    ['data-formats', 5],
    ['data-partners', 3],
    ['audience-status', 7],
  ])('%s has %d entries', async (name, length) => {
    await freshMinute();
    const headers = await logIn(hub.url, account);
    const { body } = await iqmCall(hub.url, 'GET', `/api/v3/audience/static/${name}`, headers);
    expect(body).toEqual({ success: true, data: expect.any(Array) });
    expect(body.data).toHaveLength(length);
  });

  it('of statuses has the ids of IQM', async () => {
    const headers = await logIn(hub.url, account);
    const { body } = await iqmCall(hub.url, 'GET', '/api/v3/audience/static/audience-status', headers);
    const ids = Object.fromEntries(
      (body.data as { id: number; name: string }[]).map(({ id, name }) => [name, id]),
    );
    expect(ids).toEqual({
      Processing: 1,
      Pending: 2,
      Ready: 3,
      Rejected: 4,
      Failed: 6,
      'Fetching Data': 7,
      'Data Fetched': 8,
    });
  });
});

describe('more than 20 requests a minute', () => {
  it('are refused with 429 and the time to wait, for this caller alone', async () => {
    const one = await makeIqmAccount(hub);
    const headers = await logIn(hub.url, one);
    const statuses = await Promise.all(
      Array.from({ length: 25 }, async () => (await columnList(headers)).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);
    const refused = await columnList(headers);
    expect(refused).toMatchObject({
      status: 429,
      body: { statusCode: 429, responseObject: { errorMsg: expect.any(String), errorCode: 429 } },
    });
    const waitSeconds = Number(refused.headers.get('retry-after'));
    expect(waitSeconds).toBeGreaterThan(0);
    expect(waitSeconds).toBeLessThanOrEqual(60);
    expect((await columnList(await logIn(hub.url, await makeIqmAccount(hub)))).status).toBe(200);
  });

  it('are counted over any minute: one that is a minute old makes room for one', async () => {
    const one = await makeIqmAccount(hub);
    const headers = await logIn(hub.url, one);
    for (let n = 0; n < 20; n += 1) await columnList(headers);
    expect((await columnList(headers)).status).toBe(429);
    await database().execute(
      sql`update request_windows set requests[1] = now() - interval '61 seconds' where caller like ${`%${one.userId}%`}`,
    );
    expect((await columnList(headers)).status).toBe(200);
    expect((await columnList(headers)).status).toBe(429);
  });

  it('are refused for log-ins too', async () => {
    const one = await makeIqmAccount(hub);
    const wrong = { grantType: 'password', email: one.email, password: 'guess' };
    const statuses: number[] = [];
    for (let n = 0; n < 21; n += 1) statuses.push((await logInAnswer(hub.url, one, { body: wrong })).status);
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 403));
    expect(statuses[20]).toBe(429);
  });
});

describe('an address that is no call of IQM', () => {
  it('is answered in the envelope', async () => {
    expect(await iqmCall(hub.url, 'GET', '/api/v2/nothing', {})).toMatchObject({
      status: 404,
      body: { statusCode: 404, responseObject: { errorMsg: expect.any(String), errorCode: 404 } },
    });
    expect(await iqmCall(hub.url, 'GET', '/api/v3/nothing', {})).toMatchObject({
      status: 404,
      body: { success: false, errorObjects: [{ error: expect.any(String) }] },
    });
  });
});

await describeWith('PostgreSQL', 'two processes of one hub', () => {
  let postgres: TemporaryDatabase & { url: string };
  let clickHouse: ClickHouseServer;
  let hubs: TestHub[] = [];

  beforeAll(async () => {
    postgres = await temporaryPostgres();
    clickHouse = await startClickHouse();
    const shared = {
      DATABASE_URL: postgres.url,
      CLICKHOUSE_URL: clickHouse.url,
      HUB_SECRET_KEY: randomBytes(32).toString('base64'),
      HUB_ADMIN_KEY: `admin-key-${randomBytes(16).toString('hex')}`,
    };
    hubs = [await startTestHub(shared), await startTestHub(shared)];
  }, 120_000);

  afterAll(async () => {
    for (const one of hubs) await one.stop();
    await clickHouse?.stop();
    await postgres?.close();
  });

  it('know the same log-ins, and count the same requests', async () => {
    const [first, second] = hubs;
    if (!first || !second) throw new Error('There are not two hubs.');
    const one = await makeIqmAccount(first);
    const headers = await logIn(first.url, one);
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const { status } = await columnList(headers, n % 2 === 0 ? first.url : second.url);
        return status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  });
});
