import { Readable } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { IntakeService, type PushedUpload } from '../src/features/intake/index.js';
import { UploadSweep } from '../src/features/intake/upload-sweep.js';
import { imports, inputs, uploads, type Database } from '../src/platform/database/index.js';
import type { FileStore } from '../src/platform/files/index.js';
import { DATABASE, FILES } from '../src/platform/nest/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { until } from './support/until.js';

interface UploadView {
  id: string;
  state: string;
  receivedBytes: number;
  sha256: string | null;
  importId: string | null;
  error: { code: string } | null;
}
interface ImportView {
  id: string;
  state: string;
  audienceId: number;
  added: number;
  removed: number;
  error: { code: string } | null;
}

const GOOD = 'Email\nann@example.com\nbob@example.com\neve@example.com\n';

let hub: TestHub;
let db: Database;
let files: FileStore;
let intake: IntakeService;
let input: typeof inputs.$inferSelect;

beforeAll(async () => {
  hub = await startTestHub();
  db = hub.hub.app.get(DATABASE);
  files = hub.hub.app.get(FILES);
  intake = hub.hub.app.get(IntakeService);
  const organization = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Intake' });
  const workspace = await hub.ok<{ id: string }>('POST', '/workspaces', {
    organizationId: organization.id,
    name: 'Seat 1',
    seatId: '1',
  });
  const row = {
    workspaceId: workspace.id,
    plugin: 'pushed',
    name: 'pushed',
    settings: {},
    routing: 'workspace',
  };
  const [made] = await db
    .insert(inputs)
    .values({ ...row, routing: 'workspace' as const })
    .returning();
  if (!made) throw new Error('The input was not made.');
  input = made;
});

afterAll(() => hub.stop());

function push(body: string | Readable, more: Partial<PushedUpload> = {}) {
  return intake.receive({
    input,
    workspaceId: input.workspaceId,
    key: 'spring',
    audienceName: 'Spring',
    body: typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body,
    maxBytes: 1_000_000,
    shape: { format: 'csv', header: true, encodings: 'detect', maxBytes: 1_000_000 },
    onUnknown: 'create',
    ...more,
  });
}

const ended = (id: string) =>
  until(
    'the import is at its end',
    async () => {
      const found = await hub.ok<ImportView>('GET', `/imports/${id}`);
      return ['queued', 'running'].includes(found.state) ? undefined : found;
    },
    60_000,
  );

const uploadsOf = async (state: string) =>
  (await hub.ok<{ items: UploadView[] }>('GET', `/uploads?state=${state}`)).items;

async function storedKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of files.list('uploads/')) keys.push(key);
  return keys;
}

const sweep = () => hub.hub.app.get(UploadSweep).run(new AbortController().signal);

describe('a file that is sent to the hub', () => {
  it('becomes an audience, can be followed, and is deleted when the import is at its end', async () => {
    const taken = await push(GOOD, { key: 'follow', kind: 'segmented' });
    expect(taken).toMatchObject({ state: 'queued', repeated: false });
    const done = await ended(taken.importId);
    expect(done).toMatchObject({ state: 'published', added: 3 });
    expect(await hub.ok('GET', `/uploads/${taken.uploadId}`)).toMatchObject({
      state: 'taken',
      receivedBytes: GOOD.length,
      importId: taken.importId,
      audienceName: 'Spring',
    });
    expect(await hub.ok('GET', `/audiences/${done.audienceId}`)).toMatchObject({
      kind: 'segmented',
      size: 3,
    });
    await until('its file is deleted', async () => (await storedKeys()).length === 0);
  });

  it('refreshes the audience of its key, and changes nothing where the bytes are the same', async () => {
    const first = await ended((await push(GOOD)).importId);
    const again = await push(GOOD);
    expect(again).toMatchObject({ state: 'unchanged', repeated: false });
    expect(again.importId).not.toBe(first.id);
    expect(await hub.ok('GET', `/imports/${again.importId}`)).toMatchObject({
      state: 'unchanged',
      audienceId: first.audienceId,
      added: 0,
      removed: 0,
      finishedAt: expect.any(String),
    });
    const next = await ended((await push(GOOD.replace('eve@', 'dan@'))).importId);
    expect(next).toMatchObject({ state: 'published', audienceId: first.audienceId, added: 1, removed: 1 });
    const back = await ended((await push(GOOD)).importId);
    expect(back).toMatchObject({ state: 'published', audienceId: first.audienceId, added: 1, removed: 1 });
    await until('its files are deleted', async () => (await storedKeys()).length === 0);
  });

  it('is read anew where the same bytes are to be read in another way', async () => {
    const id = (await push(GOOD, { key: 'settings' })).importId;
    await ended(id);
    const other = await push(GOOD, { key: 'settings', columnSettings: { Email: { form: 'Raw' } } });
    expect(other.state).toBe('queued');
    expect(await ended(other.importId)).toMatchObject({ state: 'unchanged' });
  });

  it('makes one import where it is sent twice at once', async () => {
    const [one, other] = await Promise.all([push(GOOD, { key: 'twin' }), push(GOOD, { key: 'twin' })]);
    const ids = new Set([one.importId, other.importId]);
    const rows = await Promise.all([...ids].map((id) => ended(id)));
    expect(rows.filter(({ state }) => state === 'published')).toHaveLength(1);
    expect(new Set(rows.map(({ audienceId }) => audienceId)).size).toBe(1);
    expect([one.state, other.state].filter((state) => state === 'queued')).not.toHaveLength(0);
  });

  it('does nothing twice where the request is the same', async () => {
    const requestId = randomUUID();
    const first = await push(GOOD, { key: 'replay', requestId });
    await ended(first.importId);
    const body = Readable.from([Buffer.from('Email\nnobody-reads-this@example.com\n')]);
    const replay = await push(body, { key: 'replay', requestId });
    expect(replay).toEqual({ ...first, state: 'published', repeated: true });
    expect(body.readableDidRead).toBe(false);
  });

  it('may be sent again with the same request id after it was cut short', async () => {
    const requestId = randomUUID();
    const cut = Readable.from(
      (async function* cutShort() {
        yield await Promise.resolve(Buffer.from('Email\nann@example.com\n'));
        throw new Error('aborted');
      })(),
    );
    await expect(push(cut, { key: 'cut', requestId })).rejects.toMatchObject({ code: 'MALFORMED_BODY' });
    const [refused] = await uploadsOf('refused');
    expect(refused).toMatchObject({ importId: null, error: { code: 'MALFORMED_BODY' } });
    const taken = await push(GOOD, { key: 'cut', requestId });
    expect(await ended(taken.importId)).toMatchObject({ state: 'published', added: 3 });
  });

  it('is refused over the limit, leaves nothing behind and says why', async () => {
    const before = await hub.ok<{ total: number }>('GET', '/imports');
    await expect(push(GOOD, { maxBytes: 20 })).rejects.toMatchObject({ code: 'BODY_TOO_LARGE', status: 413 });
    const [refused] = await uploadsOf('refused');
    expect(refused).toMatchObject({ error: { code: 'BODY_TOO_LARGE' } });
    expect(await hub.ok<{ total: number }>('GET', '/imports')).toMatchObject({ total: before.total });
    expect(await storedKeys()).toEqual([]);
  });
});

describe('the bytes of a file', () => {
  it('stay while the import is held, and go with the next sweep after it was discarded', async () => {
    await ended((await push(GOOD, { key: 'held' })).importId);
    const taken = await push('Email\nann@example.com\n', { key: 'held' });
    const held = await ended(taken.importId);
    expect(held.state).toBe('held');
    await sweep();
    expect(await storedKeys()).toEqual([`uploads/${taken.uploadId}`]);
    expect(await push('Email\nann@example.com\n', { key: 'held' })).toMatchObject({
      importId: taken.importId,
      state: 'held',
      repeated: true,
    });
    await hub.ok('POST', `/imports/${held.id}/discard`);
    await sweep();
    expect(await storedKeys()).toEqual([]);
  });

  it('stay for a week where the import failed, unless a newer file of the key comes', async () => {
    const failed = await push('Colour\nred\n', { key: 'failed' });
    expect(await ended(failed.importId)).toMatchObject({ state: 'failed' });
    await sweep();
    expect(await storedKeys()).toEqual([`uploads/${failed.uploadId}`]);
    await ended((await push(GOOD, { key: 'failed' })).importId);
    await sweep();
    expect(await storedKeys()).toEqual([]);
    const other = await push('Colour\nred\n', { key: 'failed long ago' });
    await ended(other.importId);
    const finishedAt = new Date(Date.now() - 8 * 86_400_000);
    await db.update(imports).set({ finishedAt }).where(eq(imports.id, other.importId));
    await sweep();
    expect(await storedKeys()).toEqual([]);
  });

  it('stay as long as was asked for', async () => {
    const taken = await push(GOOD, { key: 'kept', keepDays: 2 });
    await ended(taken.importId);
    await sweep();
    expect(await storedKeys()).toEqual([`uploads/${taken.uploadId}`]);
    const finishedAt = new Date(Date.now() - 3 * 86_400_000);
    await db.update(imports).set({ finishedAt }).where(eq(imports.id, taken.importId));
    await sweep();
    expect(await storedKeys()).toEqual([]);
  });

  it('are cleared away where whoever received them died', async () => {
    const row = { workspaceId: input.workspaceId, inputId: input.id, expiresAt: new Date(Date.now() - 1000) };
    const [dead] = await db
      .insert(uploads)
      .values({ ...row, state: 'stored', requestId: 'dead' })
      .returning();
    await files.put(`uploads/${dead?.id}`, GOOD);
    await files.put(`uploads/${randomUUID()}`, GOOD);
    await sweep();
    expect(await storedKeys()).toEqual([]);
    expect(await hub.ok('GET', `/uploads/${dead?.id}`)).toMatchObject({ state: 'expired' });
    const taken = await push(GOOD, { key: 'after death', requestId: 'dead' });
    expect(taken.repeated).toBe(false);
    await ended(taken.importId);
  });
});
