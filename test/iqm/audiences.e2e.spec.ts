import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTestHub, type TestHub } from '../support/hub.js';
import {
  iqmCall,
  logIn,
  makeIqmAccount,
  type IqmAccount,
  type IqmAnswer,
  forgetRequests,
} from '../support/iqm.js';
import { until } from '../support/until.js';
import { BOUNDARY, sampleBody, SAMPLE_FIELDS } from './sample-request.js';

interface Details {
  id: number;
  audienceName: string;
  status: string;
  uniques: number;
  approvedRejectedByUserName: string;
  approvedRejectedByUserEmail: string;
}

let hub: TestHub;
let account: IqmAccount;
let headers: Record<string, string>;

beforeAll(async () => {
  hub = await startTestHub();
  account = await makeIqmAccount(hub);
  headers = await logIn(hub.url, account);
}, 120_000);

afterAll(async () => {
  await hub?.stop();
});

const freshMinute = () => forgetRequests(hub);
beforeEach(freshMinute);

const EMAILS = {
  ...SAMPLE_FIELDS,
  columns: '{"Email":"Email"}',
  isSingleColumnEnabled: 'true',
  fileTotalCount: '2',
};
const FILE = 'Email\nann@example.com\nbob@example.com\n';

async function add(file: string, fields: Record<string, string> = EMAILS, as = headers): Promise<number> {
  const type = `multipart/form-data; boundary=${BOUNDARY}`;
  const { status, body } = await iqmCall<{ responseObject: { id: number } }>(
    hub.url,
    'POST',
    '/api/v2/audience/matched/add',
    { ...as, 'content-type': type },
    sampleBody(file, fields),
  );
  if (status !== 200) throw new Error(`The upload answered ${status}: ${JSON.stringify(body)}`);
  return body.responseObject.id;
}

async function details(id: number, as = headers): Promise<Details> {
  await freshMinute();
  const path = `/api/v2/audience/matched/${id}`;
  return (await iqmCall<{ responseObject: Details }>(hub.url, 'GET', path, as)).body.responseObject;
}

const becomes = (id: number, status: string, as = headers) =>
  until(
    `audience ${id} is ${status}`,
    async () => {
      const found = await details(id, as);
      return found.status === status ? found : undefined;
    },
    60_000,
  );

const put = (path: string, as = headers) => iqmCall(hub.url, 'PUT', `/api/v3/audience/matched/${path}`, as);
const importsOf = async (id: number) =>
  (await hub.ok<{ items: { id: string; state: string }[] }>('GET', `/imports?audienceId=${id}`)).items;

describe('an upload that is a dry run', () => {
  it('is answered with what it would come to, and makes no audience', async () => {
    const look = (file: string, fields: Record<string, string>) =>
      iqmCall<{ success: boolean; responseObject: { verdict: string; rows: object; warnings: object[] } }>(
        hub.url,
        'POST',
        '/api/v2/audience/matched/add?dryRun=true',
        { ...headers, 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
        sampleBody(file, fields),
      );
    const before = await hub.ok<{ total: number }>('GET', '/audiences');
    const { status, body } = await look(`${FILE}nobody\n`, EMAILS);
    expect(status).toBe(200);
    expect(body.responseObject).toMatchObject({
      verdict: 'usable',
      rows: { read: 3, accepted: 2, rejected: 1 },
      warnings: expect.arrayContaining([expect.objectContaining({ code: 'ROW_COUNT_DIFFERS' })]),
    });
    expect((await look('Phone\n1\n', EMAILS)).body.responseObject.verdict).toBe('unusable');
    expect((await look(FILE, { ...EMAILS, columns: '' })).status).toBe(400);
    expect(await hub.ok('GET', '/audiences')).toMatchObject({ total: before.total });
    expect(await hub.ok('GET', '/uploads')).toMatchObject({ total: 0 });
  });
});

describe('an organization that approves uploads by hand', () => {
  async function manual() {
    const one = await makeIqmAccount(hub, { role: 'admin' });
    await hub.ok('PATCH', `/organizations/${one.organizationId}`, { uploadApproval: 'manual' });
    const as = await logIn(hub.url, one);
    const id = await add(FILE, EMAILS, as);
    const held = await until(
      'the import waits for approval',
      async () => {
        const [row] = await importsOf(id);
        return row?.state === 'held' ? row : undefined;
      },
      30_000,
    );
    return { one, as, id, held, key: (as.authorization ?? '').replace('Bearer ', '') };
  }

  it('publishes nothing before an admin approves it, whoever releases the import', async () => {
    const { one, as, id, held, key } = await manual();
    expect(await details(id, as)).toMatchObject({ status: 'Pending', uniques: 2 });
    expect(await hub.ok('GET', `/audiences/${id}`)).toMatchObject({ size: 0 });
    expect((await hub.api('POST', `/imports/${held.id}/release`)).status).toBe(409);
    expect((await hub.api('POST', `/audiences/${id}/approve`, undefined, key)).status).toBe(204);
    expect(await becomes(id, 'Ready', as)).toMatchObject({
      uniques: 2,
      approvedRejectedByUserName: 'Una Uploader',
      approvedRejectedByUserEmail: one.email,
    });
    expect((await hub.api('POST', `/audiences/${id}/reject`)).status).toBe(409);
  });

  it('never publishes one that an admin rejected', async () => {
    const { as, id, key } = await manual();
    expect((await hub.api('POST', `/audiences/${id}/reject`, undefined, key)).status).toBe(204);
    expect(await details(id, as)).toMatchObject({ status: 'Rejected' });
    expect((await put(`${id}/rematch`, as)).status).toBe(409);
    expect((await hub.api('POST', `/audiences/${id}/approve`)).status).toBe(409);
    expect((await importsOf(id))[0]?.state).toBe('discarded');
    expect(await hub.ok('GET', `/audiences/${id}`)).toMatchObject({ size: 0 });
  });
});

describe('matching anew', () => {
  it('reads the kept file again', async () => {
    const id = await add(FILE);
    await becomes(id, 'Ready');
    const answer = await put(`${id}/rematch`);
    expect(answer).toMatchObject({ status: 200, body: { success: true, data: { id } } });
    const rows = await until(
      'the second import is at its end',
      async () => {
        const found = await importsOf(id);
        return found.length === 2 && found.every(({ state }) => /published|unchanged/.test(state))
          ? found
          : undefined;
      },
      30_000,
    );
    expect(rows.map(({ state }) => state)).toEqual(['unchanged', 'published']);
    expect((await put(`${id}/rematch`)).status).toBe(200);
  });

  it('is regenerating for failed audiences alone', async () => {
    const good = await add(FILE);
    await becomes(good, 'Ready');
    expect((await put(`${good}/regenerate`)).status).toBe(409);
    const bad = await add('');
    await becomes(bad, 'Failed');
    expect((await put(`${bad}/regenerate`)).status).toBe(200);
    await until(
      'it failed again',
      async () => {
        const found = await importsOf(bad);
        return found.length === 2 && found.every(({ state }) => state === 'failed');
      },
      30_000,
    );
  });

  it("and looking are impossible for another organization's audience", async () => {
    const id = await add(FILE);
    const other = await logIn(hub.url, await makeIqmAccount(hub));
    for (const answer of [
      await put(`${id}/rematch`, other),
      await put(`${id}/regenerate`, other),
      await iqmCall(hub.url, 'GET', `/api/v2/audience/matched/${id}`, other),
    ]) {
      expect(answer.status).toBe(404);
      expect(JSON.stringify(answer.body)).not.toContain(SAMPLE_FIELDS.audienceName);
    }
  });
});

describe('the list', () => {
  const list = (
    body: object,
    as: Record<string, string>,
  ): Promise<IqmAnswer<{ data: { data: Details[]; totalRecords: number; filteredRecords: number } }>> =>
    iqmCall(hub.url, 'POST', '/api/v3/audience/matched', as, body);

  it('has pages, search, statuses and an order, of the own workspace', async () => {
    const as = await logIn(hub.url, await makeIqmAccount(hub));
    const ids: number[] = [];
    for (const audienceName of ['Alpha', 'Beta', 'Alphabet'])
      ids.push(await add(FILE, { ...EMAILS, audienceName }, as));
    for (const id of ids) await becomes(id, 'Ready', as);
    await freshMinute();
    const names = async (body: object) =>
      (await list(body, as)).body.data.data.map((one) => one.audienceName);
    expect(await names({ sortBy: '+audienceName' })).toEqual(['Alpha', 'Alphabet', 'Beta']);
    expect(await names({ sortBy: '-id', noOfEntries: 2, pageNo: 2 })).toEqual(['Alpha']);
    expect(await names({ searchField: 'alpha', sortBy: '+id' })).toEqual(['Alpha', 'Alphabet']);
    expect(await names({ audienceStatusIds: [6] })).toEqual([]);
    expect(await names({ audienceStatusIds: [3], audienceIds: [ids[1]] })).toEqual(['Beta']);
    expect((await list({ searchField: 'alpha' }, as)).body.data).toMatchObject({
      totalRecords: 3,
      filteredRecords: 2,
    });
  });

  it.each([
    { noOfEntries: 1001 },
    { pageNo: 0 },
    { sortBy: 'shoe' },
    { audienceStatusIds: [99] },
    { audienceIds: 'all' },
  ])('is refused with %j', async (body) => {
    expect((await list(body, headers)).status).toBe(400);
  });
});

describe('an upload over the limits', () => {
  /** Sends a form whose file never ends, until it is answered; returns the answer and how much was sent. */
  function endless(
    line: string,
    as: Record<string, string>,
  ): Promise<{ status: number; body: string; sentBytes: number }> {
    return new Promise((resolve, reject) => {
      let sentBytes = 0;
      let answered = false;
      const chunk = line.repeat(Math.ceil(65_536 / line.length));
      const call = request(`${hub.url}/api/v2/audience/matched/add`, {
        method: 'POST',
        headers: { ...as, 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
      });
      call.once('response', (response) => {
        answered = true;
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => (body += text));
        response.once('end', () => {
          call.destroy();
          resolve({ status: response.statusCode ?? 0, body, sentBytes });
        });
      });
      call.on('error', (error) => (answered ? undefined : reject(error)));
      call.write(sampleBody('').split('\r\n\r\n')[0] + '\r\n\r\nEmail\n');
      const send = () => {
        for (;;) {
          if (answered || call.destroyed) return;
          sentBytes += chunk.length;
          if (!call.write(chunk)) return void call.once('drain', send);
        }
      };
      send();
    });
  }

  it.each([
    ['bytes', { maxBytes: 1_000_000 }, 413],
    ['records', { maxRecords: 10_000 }, 400],
  ])('of %s is answered in the envelope before it is read to its end', async (_, settings, status) => {
    const one = await makeIqmAccount(hub);
    await hub.ok('POST', '/inputs', {
      workspaceId: one.workspaceId,
      plugin: 'api-upload',
      name: 'Limited',
      settings,
    });
    const answer = await endless('ann@example.com\n', await logIn(hub.url, one));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({
      statusCode: status,
      responseObject: { errorMsg: expect.any(String), errorCode: status },
    });
    expect(answer.sentBytes).toBeLessThan(50_000_000);
    expect(
      (await hub.ok<{ items: object[] }>('GET', `/uploads?workspaceId=${one.workspaceId}`)).items,
    ).toMatchObject([{ state: 'refused' }]);
  });
});

describe('a file that cannot be used', () => {
  it.each([
    ['a header alone', 'Email\n'],
    ['a quote that nobody closes', 'Email,Phone\n"ann@example.com,1\nbob@example.com,2\n'],
    ['a column of another name', 'Shoe\n43\n44\n'],
    ['a doubled header', 'Email,email\nann@example.com,bob@example.com\n'],
    ['a workbook that is none', 'PK\u0003\u0004 but no archive'],
    ['nothing but blank lines', '\n\n\n'],
  ])('makes a failed audience with a reason: %s', async (_, file) => {
    const id = await add(file);
    expect(await becomes(id, 'Failed')).toMatchObject({ uniques: 0 });
    const [row] = await importsOf(id);
    expect(await hub.ok('GET', `/imports/${row?.id}`)).toMatchObject({
      error: { code: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringMatching(/.{20,}/) },
    });
  });
});
