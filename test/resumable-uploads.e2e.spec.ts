import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { ResumableUploads } from '../src/features/intake/resumable/resumable-uploads.service.js';
import { UploadSweep } from '../src/features/intake/upload-sweep.js';
import { uploads, type Database } from '../src/platform/database/index.js';
import type { FileStore } from '../src/platform/files/index.js';
import { DATABASE, FILES } from '../src/platform/nest/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { makeTenant, type Tenant } from './support/tenants.js';
import { beginUpload, metadataOf, sendByClient, tusCall, tusSender } from './support/tus.js';
import { until } from './support/until.js';

/** So many different people, one a line. */
const fileOf = (people: number, padding = 0): Buffer =>
  Buffer.from(
    `Email,Note\n${Array.from({ length: people }, (_, n) => `p-${n}@example.com,${'x'.repeat(padding)}\n`).join('')}`,
  );
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let hub: TestHub;
let tenant: Tenant;
let files: FileStore;
let endpoint: string;
let sender: ReturnType<typeof tusSender>;

beforeAll(async () => {
  hub = await startTestHub();
  tenant = await makeTenant(hub, 'Tus');
  files = hub.hub.app.get(FILES);
  endpoint = `${hub.url}/api/v1/uploads/tus`;
  sender = tusSender(hub, tenant);
}, 120_000);

afterAll(() => hub?.stop());

const sweep = () => hub.hub.app.get(UploadSweep).run(new AbortController().signal);

/** True once a piece of it is being written. */
async function isReceived(): Promise<boolean> {
  const drafts = await readdir(join(hub.dataDir, 'files', '.hub-tmp')).catch(() => []);
  return drafts.length > 0;
}

/** The bytes up to the middle, and then a line that breaks. */
async function* brokenAfter(bytes: Buffer, waited: () => Promise<unknown>): AsyncGenerator<Buffer> {
  yield bytes;
  await waited();
  throw new Error('The line broke.');
}

describe('a resumable upload', () => {
  it('comes in pieces by the tus client, can be followed, and becomes an audience', async () => {
    const file = fileOf(2000);
    const seen: number[] = [];
    const url = await sendByClient(hub.url, tenant.editor, file, {
      metadata: { filename: 'Spring.csv', recordCount: '2000', sha256: sha256(file) },
      chunkBytes: 10_000,
      onOffset: (bytes) => seen.push(bytes),
    });
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toBe(file.length);
    expect(await sender.imported(url)).toMatchObject({
      state: 'published',
      added: 2000,
      rows: { read: 2000 },
    });
    expect(await sender.viewOf(url)).toMatchObject({
      state: 'taken',
      audienceName: 'Spring',
      receivedBytes: file.length,
      declaredBytes: file.length,
      sha256: sha256(file),
    });
    expect(await sender.offsetOf(url)).toBe(file.length);
    expect(await sender.piecesOf(url)).toEqual([]);
  });

  it('goes on where the line broke in the middle of a request', async () => {
    const file = fileOf(5000, 100);
    const half = file.subarray(0, file.length / 2);
    const { url } = await sender.begin(file.length, { audienceName: 'Broken line', sha256: sha256(file) });
    await expect(
      sender.patch(
        url,
        0,
        brokenAfter(half, async () => until('it is received', () => isReceived())),
      ),
    ).rejects.toThrow();
    const offset = await until('what came is counted', () => sender.offsetOf(url));
    expect(offset).toBeLessThanOrEqual(half.length);
    expect(await sender.viewOf(url)).toMatchObject({ state: 'receiving', receivedBytes: offset });
    await sendByClient(hub.url, tenant.editor, file, { uploadUrl: url });
    expect(await sender.imported(url)).toMatchObject({ state: 'published', added: 5000 });
  });

  it('refreshes the audience of its key, and makes no second one', async () => {
    const notes = { audienceName: 'Refreshed', key: 'refreshed' };
    const first = await sendByClient(hub.url, tenant.editor, fileOf(10), { metadata: notes });
    const { audienceId } = await sender.imported(first);
    const again = await sendByClient(hub.url, tenant.editor, fileOf(12), { metadata: notes });
    expect(await sender.imported(again)).toMatchObject({ state: 'published', audienceId, added: 2 });
  });

  it('may say its length at the end, and its bytes with its beginning', async () => {
    const file = fileOf(20);
    const open = await sender.begin(undefined, { audienceName: 'Unknown length' });
    expect((await sender.patch(open.url, 0, file)).status).toBe(204);
    const head = await tusCall(open.url, 'HEAD', sender.auth());
    expect(head.headers).toMatchObject({ 'upload-defer-length': '1', 'upload-offset': String(file.length) });
    const end = { 'upload-offset': String(file.length), 'upload-length': String(file.length) };
    const last = await tusCall(open.url, 'PATCH', { ...sender.auth(), ...end }, Buffer.alloc(0));
    expect(last.status).toBe(204);
    expect(await sender.imported(open.url)).toMatchObject({ added: 20 });

    const notes = metadataOf({ audienceName: 'At once' });
    const headers = { ...sender.auth(), 'upload-length': String(file.length), 'upload-metadata': notes };
    const made = await tusCall(endpoint, 'POST', headers, file);
    expect(made).toMatchObject({ status: 201, headers: { 'upload-offset': String(file.length) } });
    expect(await sender.imported(`${hub.url}${String(made.headers.location)}`)).toMatchObject({ added: 20 });
  });

  it('is one upload with two senders: the later one goes on, the earlier one is told', async () => {
    const file = fileOf(3000, 100);
    const { url } = await sender.begin(file.length, { audienceName: 'Two senders', sha256: sha256(file) });
    let release = (): void => undefined;
    const waiting = new Promise<void>((go) => (release = go));
    async function* slowly() {
      yield file.subarray(0, 1000);
      await waiting;
      yield file.subarray(1000);
    }
    const slow = sender.patch(url, 0, slowly());
    const offset = await until('its bytes are counted', () => sender.offsetOf(url));
    const quick = await sender.patch(url, offset, file.subarray(offset));
    expect(quick.status).toBe(204);
    release();
    // It is told how far it came itself, which is not the end.
    expect(Number((await slow).headers['upload-offset'])).toBeLessThan(file.length);
    expect(await sender.imported(url)).toMatchObject({ state: 'published', added: 3000 });
  });

  it('that is a dry run says what its import would come to, and leaves nothing but that', async () => {
    const before = await hub.ok<{ total: number }>('GET', '/imports');
    const url = await sendByClient(hub.url, tenant.editor, Buffer.from('Email\na@example.com\nnobody\n'), {
      metadata: { audienceName: 'Only a look', dryRun: 'true', recordCount: '3' },
    });
    expect(await sender.viewOf(url)).toMatchObject({
      state: 'checked',
      importId: null,
      preflight: {
        verdict: 'usable',
        rows: { read: 2, accepted: 1, rejected: 1 },
        problems: [{ row: 3, column: 'Email' }],
        warnings: expect.arrayContaining([expect.objectContaining({ code: 'ROW_COUNT_DIFFERS' })]),
      },
    });
    expect(await hub.ok('GET', '/imports')).toMatchObject({ total: before.total });
    expect(await files.stat(`uploads/${url.split('/').at(-1)}`)).toBeUndefined();
    expect(await sender.piecesOf(url)).toEqual([]);
  });

  it('answers 409 where it is at another place, and says where on HEAD', async () => {
    const { url } = await sender.begin(100, { audienceName: 'Elsewhere' });
    expect(await sender.patch(url, 7, Buffer.from('x'))).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    });
    expect(await tusCall(url, 'HEAD', sender.auth())).toMatchObject({
      status: 200,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': '0',
        'upload-length': '100',
        'upload-metadata': metadataOf({ audienceName: 'Elsewhere' }),
        'upload-expires': expect.any(String),
        'cache-control': 'no-store',
      },
    });
  });
});

describe('a resumable upload is refused', () => {
  it('before its first byte where it is larger than the input takes', async () => {
    const headers = { ...sender.auth(), 'upload-length': String(2 ** 30 + 1) };
    const notes = { 'upload-metadata': metadataOf({ audienceName: 'Large' }) };
    expect(await tusCall(endpoint, 'POST', { ...headers, ...notes })).toMatchObject({
      status: 413,
      body: { code: 'BODY_TOO_LARGE' },
    });
  });

  it('while it comes where it has too many records or bytes, however it is cut', async () => {
    const other = await makeTenant(hub, 'Small');
    const workspace = { workspaceId: other.workspaceId, plugin: 'api-upload', name: 'Small' };
    const settings = { maxBytes: 60_000, maxRecords: 1000 };
    await hub.ok('POST', '/inputs', { ...workspace, settings }, other.admin);
    const small = (bytes: number | undefined) =>
      beginUpload(hub.url, other.editor, bytes, { audienceName: 'Too much' });
    const send = (url: string, offset: number, body: Buffer | AsyncIterable<Buffer>) => {
      const headers = { authorization: `Bearer ${other.editor}`, 'upload-offset': String(offset) };
      return tusCall(url, 'PATCH', headers, body);
    };
    const rows = Buffer.from('a@example.com\n'.repeat(900));
    const many = await small(50_000);
    expect((await send(many.url, 0, rows)).status).toBe(204);
    async function* endless() {
      for (;;) yield await Promise.resolve(Buffer.from('a@example.com\n'));
    }
    expect(await send(many.url, rows.length, endless())).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST' },
    });
    const large = await small(undefined);
    async function* wide() {
      for (;;) yield await Promise.resolve(Buffer.alloc(1000, 'x'));
    }
    expect(await send(large.url, 0, wide())).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
    for (const [one, code] of [
      [many, 'BAD_REQUEST'],
      [large, 'BODY_TOO_LARGE'],
    ] as const) {
      expect(await hub.ok('GET', `/uploads/${one.id}`)).toMatchObject({ state: 'refused', error: { code } });
      expect(await send(one.url, 0, rows)).toMatchObject({ status: 410, body: { code: 'GONE' } });
      expect(await sender.piecesOf(one.url)).toEqual([]);
    }
  });

  it('at its end where its bytes are not those that were announced', async () => {
    const file = fileOf(5);
    const { url } = await sender.begin(file.length, { audienceName: 'Changed', sha256: sha256(fileOf(6)) });
    expect(await sender.patch(url, 0, file)).toMatchObject({ status: 400, body: { code: 'MALFORMED_BODY' } });
    expect(await sender.viewOf(url)).toMatchObject({ state: 'refused', error: { code: 'MALFORMED_BODY' } });
    expect(await sender.piecesOf(url)).toEqual([]);
  });

  it('where its key reaches several workspaces and none is named', async () => {
    const hubKey = { authorization: `Bearer ${hub.adminKey}`, 'upload-length': '1' };
    const named = { 'upload-metadata': metadataOf({ audienceName: 'Whose' }) };
    expect(await tusCall(endpoint, 'POST', { ...hubKey, ...named })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'workspaceId' }] },
    });
  });

  it('where it is for the workspace of somebody else', async () => {
    const other = await makeTenant(hub, 'Other');
    const notes = metadataOf({ audienceName: 'Foreign', workspaceId: other.workspaceId });
    const headers = { ...sender.auth(), 'upload-length': '1', 'upload-metadata': notes };
    expect(await tusCall(endpoint, 'POST', headers)).toMatchObject({ status: 404 });
    const { url } = await sender.begin(10, { audienceName: 'Own' });
    for (const method of ['HEAD', 'PATCH', 'DELETE']) {
      const foreign = { authorization: `Bearer ${other.editor}`, 'upload-offset': '0' };
      expect((await tusCall(url, method, foreign)).status).toBe(404);
    }
  });

  it('without the version of the protocol, and says which it is', async () => {
    const answer = await hub.api('POST', '/uploads/tus', undefined, tenant.editor);
    expect(answer).toMatchObject({ status: 412, body: { code: 'TUS_VERSION_UNSUPPORTED' } });
    expect(answer.headers.get('tus-version')).toBe('1.0.0');
    const options = await tusCall(endpoint, 'OPTIONS', sender.auth());
    expect(options.headers['tus-extension']).toBe(
      'creation,creation-with-upload,creation-defer-length,termination,expiration',
    );
    expect(options.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('the pieces of a resumable upload', () => {
  it('go when it is given up, and nothing more is taken', async () => {
    const { url } = await sender.begin(100, { audienceName: 'Given up' });
    await sender.patch(url, 0, Buffer.from('Email\n'));
    expect(await sender.piecesOf(url)).toHaveLength(1);
    expect((await tusCall(url, 'DELETE', sender.auth())).status).toBe(204);
    expect(await sender.viewOf(url)).toMatchObject({ state: 'refused', error: { code: 'GIVEN_UP' } });
    expect(await sender.piecesOf(url)).toEqual([]);
    expect((await sender.patch(url, 6, Buffer.from('x'))).status).toBe(410);
    const done = await sendByClient(hub.url, tenant.editor, fileOf(3), {
      metadata: { filename: 'Done.csv' },
    });
    expect(await tusCall(done, 'DELETE', sender.auth())).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    });
  });

  it('stay while the sender may come back, and are swept when he has not for a day', async () => {
    const { id, url } = await sender.begin(100, { audienceName: 'Abandoned' });
    await sender.patch(url, 0, Buffer.from('Email\n'));
    await files.put(`upload-parts/${id}/never-counted`, 'x');
    await sweep();
    expect(await sender.piecesOf(url)).toHaveLength(2);
    expect(await sender.offsetOf(url)).toBe(6);
    const db = hub.hub.app.get<Database>(DATABASE);
    await db
      .update(uploads)
      .set({ expiresAt: new Date(Date.now() - 1000) })
      .where(eq(uploads.id, id));
    await sweep();
    expect(await sender.piecesOf(url)).toEqual([]);
    expect(await sender.viewOf(url)).toMatchObject({ state: 'expired' });
    expect((await tusCall(url, 'HEAD', sender.auth())).status).toBe(410);
  });

  it('become an import where whoever had the last of them died before', async () => {
    const file = fileOf(7);
    const { id, url } = await sender.begin(file.length, { audienceName: 'Left at the last step' });
    async function* whole() {
      yield await Promise.resolve(file);
    }
    await hub.hub.app.get(ResumableUploads).append(id, 0, whole());
    expect(await sender.viewOf(url)).toMatchObject({ state: 'receiving', receivedBytes: file.length });
    await sweep();
    expect(await sender.imported(url)).toMatchObject({ state: 'published', added: 7 });
    expect(await sender.piecesOf(url)).toEqual([]);
  });
});
