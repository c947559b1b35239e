import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTestHub, type TestHub } from '../support/hub.js';
import {
  basic,
  iqmCall,
  logIn,
  makeIqmAccount,
  type IqmAccount,
  type LogInData,
  forgetRequests,
} from '../support/iqm.js';
import { until } from '../support/until.js';
import { BOUNDARY, sampleBody, SAMPLE_FIELDS, SAMPLE_FILE } from './sample-request.js';

interface Details {
  id: number;
  status: string;
  matchRate: number;
  uniques: number;
  metadata: string;
  existingColumnMatching: string;
}
interface Enveloped<Content> {
  statusCode: number;
  responseObject: Content;
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

function add(form: FormData | string, as = headers) {
  const type: Record<string, string> =
    typeof form === 'string' ? { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` } : {};
  return iqmCall<Enveloped<{ id: number; message: string; errorMsg?: string; errorCode?: number }>>(
    hub.url,
    'POST',
    '/api/v2/audience/matched/add',
    { ...as, ...type },
    form,
  );
}

function formOf(file: string | undefined, fields: Record<string, string>, name = 'people.csv'): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  if (file !== undefined) form.append('file', new Blob([file], { type: 'text/csv' }), name);
  return form;
}

const details = async (id: number, as = headers) =>
  iqmCall<Enveloped<Details>>(hub.url, 'GET', `/api/v2/audience/matched/${id}`, as);

function ended(id: number): Promise<Details> {
  return until(
    `audience ${id} is at its end`,
    async () => {
      await freshMinute();
      const { body } = await details(id);
      return /^(?:Ready|Failed|Rejected)$/.test(body.responseObject.status) ? body.responseObject : undefined;
    },
    60_000,
  );
}

const EMAILS = { columns: '{"Email":"Email"}', isSingleColumnEnabled: 'true' };
const emails = (count: number, first = 0) =>
  `Email\n${Array.from({ length: count }, (_, n) => `person-${first + n}@example.com\n`).join('')}`;

describe('a script that follows the quickstart', () => {
  it('logs in, asks for the columns, uploads, and sees the audience become Ready', async () => {
    const one = await makeIqmAccount(hub);
    const login = await iqmCall<{ success: boolean; data: LogInData }>(
      hub.url,
      'POST',
      '/api/v3/ua/login',
      { Authorization: basic(one.clientId, one.clientSecret), 'X-IAA-HOST': one.host },
      { grantType: 'password', email: one.email, password: one.password },
    );
    expect(login.body.success).toBe(true);
    const { access_token, owId } = login.body.data;
    const as = { Authorization: `Bearer ${access_token}`, 'X-IAA-OW-ID': String(owId) };
    const list = await iqmCall(hub.url, 'POST', '/api/v3/audience/static/matched/column-list', as);
    expect(list.body.statusCode).toBe(200);

    const added = await add(sampleBody(SAMPLE_FILE), as);
    expect(added).toMatchObject({
      status: 200,
      body: {
        statusCode: 200,
        responseObject: { id: expect.any(Number), message: 'Audience created successfully' },
      },
    });
    const { id } = added.body.responseObject;
    const ready = await until(
      'the audience is Ready',
      async () => {
        await freshMinute();
        const { body } = await details(id, as);
        return body.responseObject.status === 'Ready' ? body : undefined;
      },
      60_000,
    );
    expect(ready).toEqual({
      statusCode: 200,
      responseObject: {
        id,
        audienceName: 'Matched Audience Sample',
        existingColumnMatching: SAMPLE_FIELDS.columns,
        metadata: expect.stringContaining('"fileName":"matched-audience-example.csv"'),
        rawS3URL: '',
        status: 'Ready',
        matchRate: 100,
        minEcpm: 0,
        maxEcpm: 0,
        s3FileName: 'matched-audience-example.csv',
        included: 0,
        excluded: 0,
        createdDate: expect.any(Number),
        modifiedDate: expect.any(Number),
        organizationName: `Account ${owId}`,
        userName: 'Una Uploader',
        expectedSpent7: 0,
        expectedSpent30: 0,
        expectedSpent60: 0,
        dataCost: 0,
        owId,
        uowId: expect.any(Number),
        rawS3URLError: 'File not available currently, please check later',
        uniques: 3,
        approvedRejectedByUserName: '',
        approvedRejectedByUserEmail: '',
        isApprovalAccess: false,
        isEditAccess: true,
      },
    });
    expect(ready.responseObject.metadata).not.toContain('lotr.com');
    // The same number names it in the hub's own API, and the count that differs is a warning.
    expect(await hub.ok('GET', `/audiences/${id}`)).toMatchObject({ size: 3, kind: 'matched' });
    const { items } = await hub.ok<{ items: { warnings: { code: string }[] }[] }>(
      'GET',
      `/imports?audienceId=${id}`,
    );
    expect(items[0]?.warnings.map(({ code }) => code)).toContain('ROW_COUNT_DIFFERS');
  });

  it('may send the sample request to the letter, which holds an empty file', async () => {
    const added = await add(sampleBody());
    expect([added.status, added.body.responseObject.message]).toEqual([200, 'Audience created successfully']);
    expect(await ended(added.body.responseObject.id)).toMatchObject({ status: 'Failed', uniques: 0 });
  });

  it('has hashes beside the raw columns that are theirs', () => {
    const { columnValues } = JSON.parse(SAMPLE_FIELDS.metadata ?? '') as {
      columnValues: Record<string, string[]>;
    };
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(columnValues.phone?.map((phone) => sha256(phone))).toEqual(columnValues['phone-sha256']);
    expect(columnValues.email?.map((email) => sha256(email.toLowerCase()))).toEqual(
      columnValues['email-sha256'],
    );
  });
});

describe('an upload', () => {
  it('takes fields before, between and after the file', async () => {
    const form = new FormData();
    form.append('columns', EMAILS.columns);
    form.append('file', new Blob([emails(3)]), 'people.csv');
    for (const name of ['metadata', 'audienceName', 'fileTotalCount'])
      form.append(name, SAMPLE_FIELDS[name] ?? '');
    form.append('isSingleColumnEnabled', 'true');
    const { id } = (await add(form)).body.responseObject;
    expect(await ended(id)).toMatchObject({
      status: 'Ready',
      uniques: 3,
      existingColumnMatching: EMAILS.columns,
    });
  });

  it('is matched by the columns that it names, and by no other', async () => {
    const file = 'Email,Mail2\nann-1@example.com,bob-1@example.com\n';
    const fields = { ...SAMPLE_FIELDS, ...EMAILS, columns: '{"mail2":"Email"}' };
    const { id } = (await add(formOf(file, fields))).body.responseObject;
    expect(await ended(id)).toMatchObject({ status: 'Ready', uniques: 1 });
    const { items } = await hub.ok<{ items: { mpid: string }[] }>('GET', `/audiences/${id}/members`);
    expect(JSON.stringify(items)).toContain('bob-1@example.com');
    expect(JSON.stringify(items)).not.toContain('ann-1@example.com');
  });

  it('finds people by the hash form that the settings say', async () => {
    const raw = await add(formOf(emails(3, 500), { ...SAMPLE_FIELDS, ...EMAILS }));
    await ended(raw.body.responseObject.id);
    for (const [form, algorithm] of [
      ['SHA256', 'sha256'],
      ['SHA512', 'sha512'],
      ['md5', 'md5'],
    ] as const) {
      const hash = createHash(algorithm).update('person-501@example.com').digest('hex');
      const fields = { ...SAMPLE_FIELDS, ...EMAILS, columnSettings: JSON.stringify({ Email: form }) };
      const { id } = (await add(formOf(`Email\n${hash}\n`, fields))).body.responseObject;
      expect(await ended(id)).toMatchObject({ status: 'Ready', uniques: 1 });
      const { items } = await hub.ok<{ items: { rows: { matched: number; created: number } }[] }>(
        'GET',
        `/imports?audienceId=${id}`,
      );
      expect(items[0]?.rows).toMatchObject({ matched: 1, created: 0 });
    }
  });

  it.each([
    [{ audienceName: '' }, 'Audience name can not be null.'],
    [{ columns: '' }, 'Columns can not be null.'],
    [{ metadata: '' }, 'Metadata can not be null.'],
    [{ fileTotalCount: 'many' }, 'File total count must be a whole number.'],
  ])('is refused with %j, as the text says, and leaves nothing', async (changed, errorMsg) => {
    const before = await hub.ok<{ total: number }>('GET', '/audiences');
    const answer = await add(formOf(emails(1), { ...SAMPLE_FIELDS, ...EMAILS, ...changed }));
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ statusCode: 400, responseObject: { errorMsg, errorCode: 400 } });
    expect((await hub.ok<{ total: number }>('GET', '/audiences')).total).toBe(before.total);
  });

  it('is refused without a file, and with one in another field', async () => {
    const none = await add(formOf(undefined, { ...SAMPLE_FIELDS }));
    expect(none.body.responseObject).toEqual({ errorMsg: 'File can not be null.', errorCode: 400 });
    const form = formOf(undefined, { ...SAMPLE_FIELDS });
    form.append('document', new Blob(['Email\n']), 'people.csv');
    expect((await add(form)).status).toBe(400);
  });

  it('fails where the file has no column of a name that was given', async () => {
    const fields = { ...SAMPLE_FIELDS, ...EMAILS, columns: '{"Mail of choice":"Email"}' };
    const { id } = (await add(formOf('Shoe\n43\n', fields))).body.responseObject;
    expect((await ended(id)).status).toBe('Failed');
    const { items } = await hub.ok<{ items: { error: { code: string } }[] }>(
      'GET',
      `/imports?audienceId=${id}`,
    );
    expect(items[0]?.error.code).toMatch(/COLUMN_MISSING|NO_USABLE_COMBINATION/);
  });

  it('waits for a decision where its rows are far from the declared count', async () => {
    const fields = { ...SAMPLE_FIELDS, ...EMAILS, fileTotalCount: '1000' };
    const { id } = (await add(formOf(emails(3), fields))).body.responseObject;
    const held = await until(
      'the import is held',
      async () => {
        const { items } = await hub.ok<{
          items: { id: string; state: string; error: { code: string } | null }[];
        }>('GET', `/imports?audienceId=${id}`);
        return items[0]?.state === 'held' ? items[0] : undefined;
      },
      30_000,
    );
    expect(held.error?.code).toBe('ROW_COUNT_DIFFERS');
    expect((await details(id)).body.responseObject).toMatchObject({ status: 'Pending', uniques: 3 });
    await hub.ok('POST', `/imports/${held.id}/release`);
    expect((await ended(id)).status).toBe('Ready');
  });
});
