import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestHub, type TestHub } from './support/hub.js';
import { formOf, L2_SECRETS, postUniverse, signed, type L2Answer } from './support/l2.js';
import { until } from './support/until.js';

interface ImportView {
  id: string;
  state: string;
  audienceId: number;
  workspaceId: string;
  added: number;
  error: { code: string; message: string } | null;
  rows: { read: number; accepted: number; rejected: number } | null;
}
interface UploadView {
  audienceName: string | null;
  error: { code: string; message: string } | null;
}

const BEARER = { authorization: `Bearer ${L2_SECRETS.bearerSecret}` };
const HEADER =
  'LALVOTERID,Voters_FirstName,Voters_LastName,Residence_Addresses_AddressLine,Residence_Addresses_State,Residence_Addresses_Zip,VoterTelephones_CellPhoneFormatted,Parties_Description';
const voter = (n: number) => `LALCA${n},Ann,Example${n},${n} Main St,CA,94105,(202) 555-0${100 + n},Other`;
const universe = (count: number, from = 1) =>
  [HEADER, ...Array.from({ length: count }, (_, index) => voter(from + index)), ''].join('\n');

let hub: TestHub;
let workspaceId: string;
let otherKey: string;

beforeAll(async () => {
  hub = await startTestHub();
  const tenant = async (name: string, externalId: string) => {
    const made = await hub.ok<{ id: string }>('POST', '/organizations', { name, externalId });
    const body = { organizationId: made.id, name, seatId: `seat-${externalId}` };
    return (await hub.ok<{ id: string }>('POST', '/workspaces', body)).id;
  };
  workspaceId = await tenant('Own', '123456');
  const other = await tenant('Other', '777');
  const key = { workspaceId: other, name: 'other', role: 'admin' };
  otherKey = (await hub.ok<{ key: string }>('POST', '/api-keys', key)).key;
  const input = { workspaceId, plugin: 'l2-universe', name: 'L2', credentials: L2_SECRETS };
  await hub.ok('POST', '/inputs', input);
  const secrets = { signingSecret: 'other-signing-secret-1', bearerSecret: 'other-bearer-secret-1' };
  await hub.ok('POST', '/inputs', { ...input, workspaceId: other, name: 'Other L2', credentials: secrets });
});

afterAll(() => hub.stop());

async function sendForm(name: string, file: string | Uint8Array, headers?: Record<string, string>) {
  const { type, body } = await formOf(name, file);
  return postUniverse(hub.url, type, body, headers ?? signed(body));
}

const sendJson = (value: unknown, headers: Record<string, string> = BEARER) =>
  postUniverse(hub.url, 'application/json', JSON.stringify(value), headers);

async function ended(answer: L2Answer): Promise<ImportView> {
  expect(answer).toMatchObject({ status: 202 });
  return until(
    'the import is at its end',
    async () => {
      const found = await hub.ok<ImportView>('GET', `/imports/${answer.body.importId}`);
      return ['queued', 'running'].includes(found.state) ? undefined : found;
    },
    60_000,
  );
}

const total = async (path: string) => (await hub.ok<{ total: number }>('GET', path)).total;

describe('a universe', () => {
  it('that is signed becomes a segmented audience of the account, named by the segment', async () => {
    const done = await ended(await sendForm('IQM_123456_Custom_Segment_1', universe(3)));
    expect(done).toMatchObject({ state: 'published', workspaceId, added: 3 });
    const audience = await hub.ok('GET', `/audiences/${done.audienceId}`);
    expect(audience).toMatchObject({ name: 'Custom_Segment_1', kind: 'segmented', size: 3 });
    const list = await hub.ok<{ items: { id: number }[] }>('GET', '/audiences?kind=segmented&search=custom');
    expect(list.items.map(({ id }) => id)).toEqual([done.audienceId]);
  });

  it('refreshes its audience, and is unchanged where its rows are the same', async () => {
    const first = await ended(await sendForm('IQM_123456_Refresh', universe(3)));
    const same = await sendForm('iqm_123456_Refresh', universe(3), BEARER);
    expect(same).toMatchObject({ status: 202, body: { state: 'unchanged' } });
    const next = await ended(await sendForm('IQM_123456_Refresh', universe(3, 2)));
    expect(next).toMatchObject({ state: 'published', audienceId: first.audienceId, added: 1 });
  });

  it.each([
    ['tabs', universe(2).replaceAll(',', '\t')],
    ['headers in another case', universe(2).replace(HEADER, HEADER.toLowerCase())],
    ['a column that nobody knows', universe(2).replace('Parties_Description', 'Brand New Column')],
    ['dropped columns', 'LALVOTERID\nLALCA1\nLALCA2\n'],
    ['UTF-16', Buffer.from(`\uFEFF${universe(2)}`, 'utf16le')],
  ])('is read with %s', async (what, file) => {
    const done = await ended(await sendForm(`IQM_123456_${what}`, file));
    expect(done).toMatchObject({ state: 'published', added: 2, rows: { read: 2, rejected: 0 } });
  });

  it('that is a dry run is only looked at, and the same request is taken in earnest afterwards', async () => {
    const { type, body } = await formOf('IQM_123456_Looked at', universe(3));
    const headers = signed(body);
    const imports = await total('/imports');
    const uploads = await total('/uploads');
    expect(await postUniverse(hub.url, type, body, headers, '?dryRun=true')).toMatchObject({
      status: 200,
      body: { audienceName: 'Looked at', preflight: { verdict: 'usable', rows: { read: 3, rejected: 0 } } },
    });
    expect([await total('/imports'), await total('/uploads')]).toEqual([imports, uploads]);
    expect(await ended(await postUniverse(hub.url, type, body, headers))).toMatchObject({
      state: 'published',
    });
    const foreign = signed(body, 'another-signing-secret');
    expect((await postUniverse(hub.url, type, body, foreign, '?dryRun=true')).status).toBe(401);
  });

  it('may come as JSON rows, whose columns may differ', async () => {
    const rows = [{ LALVOTERID: 'LALNY1' }, { LALVOTERID: 'LALNY2', Voters_FirstName: 'A "B", C\nD' }];
    const done = await ended(await sendJson({ name: 'IQM_123456_JSON', rows }));
    expect(done).toMatchObject({ state: 'published', added: 2, rows: { read: 2, rejected: 0 } });
  });

  it('may come as the file alone', async () => {
    const file = universe(2);
    const answer = await postUniverse(hub.url, 'text/csv', file, signed(file), '?name=IQM_123456_Alone');
    expect(await ended(answer)).toMatchObject({ state: 'published', added: 2 });
  });

  it('is imported beside others that come at once', async () => {
    const names = ['One', 'Two', 'Three', 'Four'];
    const answers = await Promise.all(names.map((name) => sendForm(`IQM_123456_${name}`, universe(2))));
    const done = await Promise.all(answers.map((answer) => ended(answer)));
    expect(new Set(done.map(({ audienceId }) => audienceId)).size).toBe(4);
    expect(done.map(({ state }) => state)).toEqual(names.map(() => 'published'));
  });
});

describe('a sender', () => {
  const name = 'IQM_123456_Forged';
  it.each([
    ['no proof', async () => sendJson({ name, rows: [] }, {})],
    [
      'another secret',
      async () => sendJson({ name, rows: [] }, { authorization: 'Bearer wrong-wrong-wrong' }),
    ],
    [
      'the signature of another body',
      async () => sendJson({ name, rows: [{ LALVOTERID: 'LALCA1' }] }, signed('another body')),
    ],
    [
      'a signature with another secret',
      async () => sendForm(name, universe(1), signed((await formOf(name, universe(1))).body, 'x'.repeat(20))),
    ],
    [
      'a signature of six minutes ago',
      async () => {
        const { type, body } = await formOf(name, universe(1));
        const old = signed(body, L2_SECRETS.signingSecret, Date.now() - 360_000);
        return postUniverse(hub.url, type, body, old);
      },
    ],
    ['garbage for a signature', async () => sendForm(name, universe(1), { 'x-hub-signature': 't=1,v1=zz' })],
  ])('with %s is refused, and leaves nothing behind', async (_, send) => {
    const before = [await total('/imports'), await total('/uploads')];
    expect(await send()).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect([await total('/imports'), await total('/uploads')]).toEqual(before);
  });

  it('who repeats a signed request does nothing twice', async () => {
    const { type, body } = await formOf('IQM_123456_Replay', universe(2));
    const headers = signed(body);
    const first = await postUniverse(hub.url, type, body, headers);
    await ended(first);
    const before = await total('/imports');
    const again = await postUniverse(hub.url, type, body, headers);
    expect(again).toMatchObject({ status: 202, body: { importId: first.body.importId, repeated: true } });
    expect(await total('/imports')).toBe(before);
  });

  it('with an idempotency key does nothing twice', async () => {
    const headers = { ...BEARER, 'idempotency-key': 'once' };
    const first = await sendForm('IQM_123456_Once', universe(2), headers);
    const again = await sendForm('IQM_123456_Once', universe(3), headers);
    expect(again.body).toMatchObject({ importId: first.body.importId, repeated: true });
    expect(await ended(first)).toMatchObject({ added: 2 });
  });
});

describe('the name of a universe', () => {
  it.each([
    ['has no prefix', '123456_Segment'],
    ['has another prefix', 'L2_123456_Segment'],
    ['has no account', 'IQM__Segment'],
    ['has no segment', 'IQM_123456_'],
    ['ends behind the account', 'IQM_123456'],
    ['is empty', ''],
    ['has blanks for a segment', 'IQM_123456_   '],
    ['has a control character', 'IQM_123456_a\u0007b'],
    ['has a segment that is too long', `IQM_123456_${'x'.repeat(256)}`],
    ['has an odd account', 'IQM_12 34_Segment'],
  ])('is refused where it %s, with what was expected, and the attempt is listed', async (_, name) => {
    const answer = await sendJson({ name, rows: [{ LALVOTERID: 'LALCA1' }] });
    expect(answer).toMatchObject({ status: 422, body: { code: 'PUSH_REFUSED' } });
    expect(answer.body.detail).toContain('IQM_[account id]_[segment name]');
    const { items } = await hub.ok<{ items: UploadView[] }>('GET', '/uploads?state=refused&pageSize=1');
    expect(items[0]).toMatchObject({ audienceName: name, error: { code: 'PUSH_REFUSED' } });
  });

  it.each([
    ['nobody', 'IQM_999_Segment'],
    ['another tenant', 'IQM_777_Segment'],
  ])('is refused where its account is of %s, and only its own tenant sees that', async (_, name) => {
    const answer = await sendForm(name, universe(1));
    expect(answer).toMatchObject({ status: 422, body: { code: 'PUSH_REFUSED' } });
    const own = await hub.ok<{ items: UploadView[] }>(
      'GET',
      `/uploads?workspaceId=${workspaceId}&pageSize=1`,
    );
    expect(own.items[0]).toMatchObject({ audienceName: name, error: { code: 'PUSH_REFUSED' } });
    const others = await hub.ok<{ total: number }>('GET', '/uploads', undefined, otherKey);
    expect(others.total).toBe(0);
    expect((await hub.ok<{ total: number }>('GET', '/audiences', undefined, otherKey)).total).toBe(0);
  });
});

describe('a body', () => {
  it.each([
    'http://127.0.0.1:1/x.csv',
    'http://169.254.169.254/latest',
    'http://[::1]/x',
    'http://localhost/x',
  ])('with the URL %s is refused', async (url) => {
    const answer = await sendJson({ name: 'IQM_123456_URL', url });
    expect(answer).toMatchObject({ status: 422, body: { code: 'ADDRESS_REFUSED' } });
  });

  it.each([
    ['no JSON', 'application/json', '{"name": ', 400, 'MALFORMED_BODY'],
    [
      'rows that are no objects',
      'application/json',
      '{"name":"IQM_123456_A","rows":[1]}',
      400,
      'MALFORMED_BODY',
    ],
    ['no rows', 'application/json', '{"name":"IQM_123456_A","rows":[]}', 422, 'PUSH_REFUSED'],
    ['another type', 'application/pdf', '%PDF', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['a form without a boundary', 'multipart/form-data', 'x', 400, 'MALFORMED_BODY'],
    [
      'a form that is cut short',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Dispo',
      400,
      'MALFORMED_BODY',
    ],
    ['too much JSON', 'application/json', `{"name":"${'x'.repeat(9 * 1024 * 1024)}"}`, 413, 'BODY_TOO_LARGE'],
  ])('with %s is refused', async (_, type, body, status, code) => {
    expect(await postUniverse(hub.url, type, body, BEARER)).toMatchObject({ status, body: { code } });
  });
});
