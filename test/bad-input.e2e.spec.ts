import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { startTestHub, type TestHub } from './support/hub.js';
import { until } from './support/until.js';

interface ImportView {
  id: string;
  sourceKey: string;
  state: string;
  audienceId: number | null;
  audienceName: string;
  error: { code: string; message: string } | null;
  rows: { read: number; accepted: number; rejected: number; rejectedByReason: Record<string, number> } | null;
}

const GOOD = 'Email\nann@example.com\nbob@example.com\neve@example.com\n';
const REGION = 'us-east-1';
const BUCKET = 'torture';

let hub: TestHub;
let s3: FauxqsServer;
let client: S3Client;
let workspaceId: string;
let iqmInput: string;
let reproInput: string;

beforeAll(async () => {
  s3 = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  s3.createBucket(BUCKET);
  const endpoint = `http://127.0.0.1:${s3.port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new S3Client({ region: REGION, endpoint, forcePathStyle: true, credentials });
  hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  const organization = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Torture' });
  const made = await hub.ok<{ id: string }>('POST', '/workspaces', {
    organizationId: organization.id,
    name: 'Seat 42',
    seatId: '42',
  });
  workspaceId = made.id;
  const input = async (layout: string, prefix: string) => {
    const settings = { bucket: BUCKET, region: REGION, endpoint, layout, prefix };
    const body = { workspaceId, plugin: 's3-drop', name: layout, settings, credentials };
    return (await hub.ok<{ id: string }>('POST', '/inputs', { ...body, onUnknown: 'create' })).id;
  };
  iqmInput = await input('iqm', 'iqm');
  reproInput = await input('repro', 'repro');
});

afterAll(async () => {
  await hub.stop();
  client.destroy();
  await s3.stop();
});

const put = (Key: string, Body: Uint8Array | string) =>
  client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));

/** Puts a file, scans, and waits for the end of the import that came of it. */
async function importOf(inputId: string, key: string, body: Uint8Array | string): Promise<ImportView> {
  await put(key, body);
  const scan = await hub.ok<{ queued: string[]; refused: string[] }>('POST', `/inputs/${inputId}/scan`);
  const [id] = [...scan.queued, ...scan.refused];
  if (id === undefined) throw new Error(`The scan made no import of ${key}.`);
  return until(
    `the import of ${key} is at its end`,
    async () => {
      const found = await hub.ok<ImportView>('GET', `/imports/${id}`);
      return ['queued', 'running'].includes(found.state) ? undefined : found;
    },
    30_000,
  );
}

const iqmKey = (name: string, seat = '42') => `iqm/onboarding/seat_id=${seat}/folder/${name}`;

async function sizeOf(audienceId: number | null): Promise<number> {
  return (await hub.ok<{ size: number }>('GET', `/audiences/${audienceId}`)).size;
}

const zip = Buffer.from('504b0304140000000800', 'hex');
const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(GOOD, 'utf16le')]);

describe('a file that cannot be used', () => {
  it.each([
    ['no header', 'ann@example.com\nbob@example.com\n', 'NO_HEADER'],
    ['a wrong header', 'Colour,Fist Name\nred,Ann\n', 'NO_USABLE_COMBINATION'],
    ['a duplicate header', 'Email,email\nann@example.com,bob@example.com\n', 'DUPLICATE_HEADER'],
    ['nothing in it', '', 'EMPTY_FILE'],
    ['a header only', 'Email\n', 'NO_DATA_ROWS'],
    [
      'a quote that nobody closes',
      'Email,Phone\nann@example.com,"202 555\nbob@example.com,1\n',
      'UNCLOSED_QUOTE',
    ],
    ['a ZIP archive inside', zip, 'NOT_A_TEXT_FILE'],
    [
      'bytes of no known encoding',
      Buffer.from([...Buffer.from('Email\nann'), 0x81, 0x8d, 0x0a]),
      'ENCODING_UNKNOWN',
    ],
  ])('fails with a clear error where it has %s, and the members stay', async (what, body, code) => {
    const key = iqmKey(`${what}.csv`);
    const first = await importOf(iqmInput, key, GOOD);
    expect(first).toMatchObject({ state: 'published', error: null });
    const second = await importOf(iqmInput, key, body);
    expect(second).toMatchObject({ state: 'failed', error: { code } });
    expect(second.error?.message.length).toBeGreaterThan(20);
    expect(second.error?.message).not.toMatch(/ann@|bob@|\bRed\b/);
    expect(await sizeOf(first.audienceId)).toBe(3);
    const corrected = await importOf(iqmInput, key, `${GOOD}dan@example.com\n`);
    expect(corrected).toMatchObject({ state: 'published', audienceId: first.audienceId });
    expect(await sizeOf(first.audienceId)).toBe(4);
  });

  it('fails with the name of the encoding where an id list is UTF-16', async () => {
    const failed = await importOf(reproInput, 'repro/utf16.csv', Buffer.from('﻿id-1\nid-2\n', 'utf16le'));
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'ENCODING_NOT_UTF8' } });
    expect(failed.error?.message).toContain('UTF-16');
  });

  it('is counted for Prometheus, as are the good ones', async () => {
    const figures = async () => {
      const { body } = await hub.api<string>('GET', '/metrics');
      const lines = body.split('\n').map((line) => line.split(' '));
      return (name: string) => Number(lines.find(([first]) => first === name)?.[1]);
    };
    // An import is counted after it is at its end, so the last one may be still missing.
    const figure = await until('the last failed import is counted', async () => {
      const read = await figures();
      return read('hub_imports_total{state="failed",plugin="s3-drop"}') === 9 ? read : undefined;
    });
    expect(figure('hub_imports_total{state="published",plugin="s3-drop"}')).toBe(16);
    expect(figure('hub_import_rows_total{outcome="created"}')).toBe(4);
    expect(figure('hub_membership_changes_total{change="add"}')).toBe(8 * 3 + 8);
  });

  it('tells the admins, once for a file', async () => {
    const { items } = await hub.ok<{ items: { subject: string; recipient: string }[] }>(
      'GET',
      '/outbox?pageSize=1000',
    );
    const about = items.filter((mail) => mail.subject === 'Import of "no header" failed');
    expect(about).toHaveLength(1);
  });
});

describe('a file with bad rows', () => {
  it.each([
    [
      'ragged rows',
      'Email,Phone\nann@example.com,\nbob@example.com\neve@example.com,,x\n',
      { TOO_FEW_COLUMNS: 1, TOO_MANY_COLUMNS: 1 },
      1,
    ],
    ['NUL bytes', 'Email\nann@example.com\nb\0b@example.com\n', { NUL_BYTE: 1 }, 1],
    ['a line of 10 MB', `Email\nann@example.com\n${'x'.repeat(10 * 1024 * 1024)}\n`, { ROW_TOO_LONG: 1 }, 1],
    ['invalid values', 'Email\nann@example.com\nnobody\n', { EMAIL_INVALID: 1 }, 1],
  ])(
    'takes the good ones and accounts for the others where it has %s',
    async (what, body, reasons, accepted) => {
      const done = await importOf(iqmInput, iqmKey(`${what}.csv`), body);
      const rejected = Object.values(reasons).reduce((sum: number, n) => sum + (n ?? 0), 0);
      if (done.state === 'held') expect(done.error?.code).toBe('MOSTLY_REJECTED');
      else expect(done.state).toBe('published');
      expect(done.rows).toMatchObject({
        read: accepted + rejected,
        accepted,
        rejected,
        rejectedByReason: reasons,
      });
      const csv = await hub.api<string>('GET', `/imports/${done.id}/errors?format=csv`);
      expect(csv.body.trim().split('\n')).toHaveLength(rejected + 1);
      expect(csv.body).not.toMatch(/bob@|eve@/);
      const listed = await hub.ok<{ total: number }>('GET', `/imports/${done.id}/errors`);
      expect(listed.total).toBe(rejected);
    },
  );

  it('keeps cells that a spreadsheet would run as the text they are', async () => {
    const body = 'Customer ID\n=1+1\n@SUM(A1)\n-2\n+3\n';
    const done = await importOf(iqmInput, iqmKey('formulas.csv'), body);
    expect(done).toMatchObject({ state: 'published', rows: { read: 4, accepted: 4, rejected: 0 } });
  });

  it.each([
    ['UTF-16', utf16],
    ['a byte order mark', `﻿${GOOD}`],
    ['CRLF line ends', GOOD.replaceAll('\n', '\r\n')],
    [
      'Windows-1252',
      Buffer.from(
        'Email,First Name\nann@example.com,Andr\xe9\nbob@example.com,B\neve@example.com,E\n',
        'latin1',
      ),
    ],
  ])('is read whole where it has %s', async (what, body) => {
    const done = await importOf(iqmInput, iqmKey(`${what}.csv`), body);
    expect(done).toMatchObject({ state: 'published', rows: { read: 3, accepted: 3, rejected: 0 } });
  });
});

describe('a key', () => {
  it.each([
    ['spaces', 'My  list of  people'],
    ['an emoji', 'Gewinner 🎉'],
    ['%2F, which is no slash', 'a%2Fb'],
    ['umlauts and quotes', `Käufer "O'Neil" & Söhne`],
  ])('with %s names its audience as it is', async (_, name) => {
    const done = await importOf(iqmInput, iqmKey(`${name}.csv`), GOOD);
    expect(done).toMatchObject({ state: 'published', audienceName: name });
  });

  it('of 1,024 bytes is taken where the audience name fits', async () => {
    const folder = 'f'.repeat(1024 - iqmKey('long.csv').length + 'folder'.length);
    const key = iqmKey('long.csv').replace('folder', folder);
    expect(Buffer.byteLength(key)).toBe(1024);
    expect(await importOf(iqmInput, key, GOOD)).toMatchObject({ state: 'published', audienceName: 'long' });
  });

  it.each([
    ['with ..', 'iqm/onboarding/seat_id=42/../x.csv'],
    ['with another extension', iqmKey('people.xlsx')],
  ])('%s is refused with a reason', async (_, key) => {
    const refused = await importOf(iqmInput, key, GOOD);
    expect(refused).toMatchObject({ state: 'failed', audienceId: null });
    expect(refused.error?.message.length).toBeGreaterThan(20);
  });

  it('of a seat that is not registered fails once, and is taken when the seat is there', async () => {
    const key = iqmKey('early.csv', '43');
    const refused = await importOf(iqmInput, key, GOOD);
    expect(refused).toMatchObject({ state: 'failed', audienceId: null, error: { code: 'SEAT_UNKNOWN' } });
    const again = await hub.ok<{ queued: string[]; refused: string[] }>('POST', `/inputs/${iqmInput}/scan`);
    expect([again.queued, again.refused]).toEqual([[], []]);
    const { organizationId } = await hub.ok<{ organizationId: string }>('GET', `/workspaces/${workspaceId}`);
    await hub.ok('POST', '/workspaces', { organizationId, name: 'Seat 43', seatId: '43' });
    const taken = await hub.ok<{ queued: string[] }>('POST', `/inputs/${iqmInput}/scan`);
    expect(taken.queued).toHaveLength(1);
  });
});
