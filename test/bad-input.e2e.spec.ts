import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { FILES_WITH_BAD_ROWS, GOOD, ODD_FILES, ODD_NAMES, UNUSABLE_FILES } from './support/bad-files.js';
import { expectAccounted } from './support/expect-accounted.js';
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

describe('a file that cannot be used', () => {
  it.each(UNUSABLE_FILES)(
    'fails with a clear error where it has %s, and the members stay',
    async (what, body, code) => {
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
    },
  );

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
  it.each(FILES_WITH_BAD_ROWS)(
    'takes the good ones and accounts for the others where it has %s',
    async (what, body, reasons, accepted) => {
      const done = await importOf(iqmInput, iqmKey(`${what}.csv`), body);
      const rejected = await expectAccounted(hub, done, reasons, accepted);
      const listed = await hub.ok<{ total: number }>('GET', `/imports/${done.id}/errors`);
      expect(listed.total).toBe(rejected);
    },
  );

  it('keeps cells that a spreadsheet would run as the text they are', async () => {
    const body = 'Customer ID\n=1+1\n@SUM(A1)\n-2\n+3\n';
    const done = await importOf(iqmInput, iqmKey('formulas.csv'), body);
    expect(done).toMatchObject({ state: 'published', rows: { read: 4, accepted: 4, rejected: 0 } });
  });

  it.each(ODD_FILES)('is read whole where it has %s', async (what, body) => {
    const done = await importOf(iqmInput, iqmKey(`${what}.csv`), body);
    expect(done).toMatchObject({ state: 'published', rows: { read: 3, accepted: 3, rejected: 0 } });
  });
});

describe('a key', () => {
  it.each(ODD_NAMES)('with %s names its audience as it is', async (_, name) => {
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
    ['with another extension', iqmKey('people.xls')],
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
