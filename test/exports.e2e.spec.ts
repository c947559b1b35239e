import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { and, eq, like } from 'drizzle-orm';
import { ExportSweep } from '../src/features/exports/index.js';
import { ExportRunner } from '../src/features/exports/runner/export-runner.js';
import { LinkSigner } from '../src/platform/crypto/index.js';
import { exportsTable, outbox, type Database } from '../src/platform/database/index.js';
import { DATABASE, FILES, WAREHOUSE } from '../src/platform/nest/index.js';
import type { FileStore } from '../src/platform/files/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { download, localPath } from './support/download.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { readZip } from './support/read-zip.js';
import { seedAudience, seedProfiles, seedWorkspace, type SeededWorkspace } from './support/seed.js';
import { until } from './support/until.js';

interface ExportBody {
  id: string;
  state: string;
  archiveName: string;
  sizeBytes: number;
  link: string | null;
  manifest: Record<string, unknown>;
  startedAt: string;
  versions: Record<string, number>;
  error: { code: string } | null;
}

let hub: TestHub;
let db: Database;
let warehouse: Warehouse;
let files: FileStore;
let workspace: SeededWorkspace;
let first: number;
let second: number;
let viewerKey: string;
let foreignKey: string;

beforeAll(async () => {
  hub = await startTestHub();
  db = hub.hub.app.get<Database>(DATABASE);
  warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  files = hub.hub.app.get<FileStore>(FILES);
  workspace = await seedWorkspace(db);
  await seedProfiles(warehouse, workspace, [
    { mpid: '-9000000000000000001', identities: { email: ['ann@example.com'], customer_id: ['c-1'] } },
    { mpid: '17', identities: { phone: ['+15550100', '+15550101'], customer_id: ['=HYPERLINK("x"), "y"'] } },
    { mpid: '18', identities: { voter_id: ['LALTX1'] } },
    { mpid: '19', identities: { customer_id: ['line\nbreak'], email: ['bob@example.com'] } },
  ]);
  const at = { db, warehouse };
  first = await seedAudience(at, workspace, {
    name: 'Potential Parisians / 2026',
    states: [
      ['17', '18'],
      ['-9000000000000000001', '17', '18', '19'],
    ],
  });
  second = await seedAudience(at, workspace, { name: 'Nobody', states: [['17'], []] });
  const keyOf = (role: string, workspaceId: string) =>
    hub.ok<{ key: string }>('POST', '/api-keys', { name: role, role, workspaceId });
  viewerKey = (await keyOf('viewer', workspace.id)).key;
  foreignKey = (await keyOf('admin', (await seedWorkspace(db)).id)).key;
});
afterAll(() => hub.stop());

async function ready(id: string): Promise<ExportBody> {
  return until(`export ${id} is ready`, async () => {
    const body = await hub.ok<ExportBody>('GET', `/exports/${id}`);
    if (body.state === 'failed') throw new Error(`failed: ${body.error?.code}`);
    return body.state === 'ready' ? body : undefined;
  });
}

function ask(change: Record<string, unknown> = {}): Promise<ExportBody> {
  const identityTypes = ['customer_id', 'email', 'phone'];
  return hub.ok<ExportBody>('POST', '/exports', { audienceIds: [first, second], identityTypes, ...change });
}

/** A row that nobody's queue knows of, so that the spec runs it itself. */
async function unqueued(): Promise<string> {
  const [row] = await db
    .insert(exportsTable)
    .values({
      workspaceId: workspace.id,
      audienceIds: [first, second],
      identityTypes: ['customer_id', 'phone'],
    })
    .returning();
  return row?.id ?? '';
}

describe('an export', () => {
  it('is a ZIP of one CSV per audience and a manifest, byte for byte what the ledger says', async () => {
    const asked = await ask();
    expect(asked.state).toBe('queued');
    const made = await ready(asked.id);
    const answer = await download(hub.url, localPath(made.link));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${made.archiveName}"`);
    expect(made.archiveName).toMatch(
      new RegExp(`^Audiences_\\d{6}[A-Z][a-z]{2}\\d{6}_${asked.id.slice(0, 4)}\\.zip$`),
    );
    const zip = readZip(answer.body);
    const [csv = '', nobody = '', manifest = ''] = [...zip.keys()];
    expect(csv).toMatch(new RegExp(`^${first}_PotentialParisians2026_\\d{6}[A-Z][a-z]{2}\\d{6}\\.csv$`));
    expect(manifest).toBe('manifest.json');
    const at = Date.parse(made.startedAt);
    expect(zip.get(csv)?.toString()).toBe(
      'mpid,scanned_timestamp_ms,identity_value,identity_type\n' +
        `-9000000000000000001,${at},c-1,customer_id\n` +
        `-9000000000000000001,${at},ann@example.com,email\n` +
        `17,${at},"=HYPERLINK(""x""), ""y""",customer_id\n` +
        `17,${at},+15550100,phone\n` +
        `17,${at},+15550101,phone\n` +
        `19,${at},"line\nbreak",customer_id\n` +
        `19,${at},bob@example.com,email\n`,
    );
    expect(zip.get(nobody)?.toString()).toBe('mpid,scanned_timestamp_ms,identity_value,identity_type\n');
    const rows = { customer_id: 3, email: 2, phone: 2 };
    const times = { min_timestamp_ms: at, max_timestamp_ms: at };
    const expected = {
      archive_name: made.archiveName,
      id: asked.id,
      audience_ids: [first, second],
      included_identities: ['customer_id', 'email', 'phone'],
      manifest_generated: new Date(at).toISOString().replace('Z', '0000Z'),
      ...times,
      total_rows: 7,
      rows_by_identity: rows,
      files: [
        { file_name: csv, ...times, total_users: 3, total_rows: 7, rows_by_identity: rows },
        {
          file_name: nobody,
          ...times,
          total_users: 0,
          total_rows: 0,
          rows_by_identity: { customer_id: 0, email: 0, phone: 0 },
        },
      ],
    };
    expect(zip.get(manifest)?.toString()).toBe(`${JSON.stringify(expected, null, 2)}\n`);
    expect(made.manifest).toEqual(expected);
    expect(made.versions).toEqual({ [first]: 2, [second]: 2 });
  });

  it('neutralises what a spreadsheet would run only on request', async () => {
    const made = await ready((await ask({ neutraliseFormulas: true, audienceIds: [first] })).id);
    const [csv] = readZip((await download(hub.url, localPath(made.link))).body).values();
    expect(csv?.toString()).toContain(`,"'=HYPERLINK(""x""), ""y""",customer_id\n`);
    expect(csv?.toString()).toContain(`,'+15550100,phone\n`);
    expect(csv?.toString()).toContain('\n-9000000000000000001,');
  });

  it('puts one mail with the link into the outbox where an address was given', async () => {
    const made = await ready((await ask({ notifyEmail: 'ops@example.com' })).id);
    const mails = await db
      .select()
      .from(outbox)
      .where(and(eq(outbox.kind, 'export_ready'), like(outbox.body, `%${made.link}%`)));
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({
      recipient: 'ops@example.com',
      state: 'kept',
      workspaceId: workspace.id,
    });
    expect(mails[0]?.body).toContain(made.link);
  });

  it('is made again with the same content where it was stopped in the middle', async () => {
    const id = await unqueued();
    const runner = hub.hub.app.get(ExportRunner, { strict: false });
    const abort = new AbortController();
    const puts = files.put.bind(files);
    files.put = async (key, body) => {
      abort.abort(new Error('the process stops'));
      return puts(key, body);
    };
    try {
      await runner.run(id, abort.signal);
    } finally {
      files.put = puts;
    }
    const [stopped] = await db.select().from(exportsTable).where(eq(exportsTable.id, id));
    expect(stopped).toMatchObject({
      state: 'queued',
      leaseOwner: null,
      versions: { [first]: 2, [second]: 2 },
    });
    expect(await files.stat(`exports/${workspace.id}/${id}.zip`)).toBeUndefined();
    await seedAudience({ db, warehouse }, workspace, { states: [['19']] });
    await runner.run(id, new AbortController().signal);
    const [done] = await db.select().from(exportsTable).where(eq(exportsTable.id, id));
    expect(done).toMatchObject({
      state: 'ready',
      startedAt: stopped?.startedAt,
      archiveName: stopped?.archiveName,
    });
    const once = await download(hub.url, localPath((await ready(id)).link));
    await db.update(exportsTable).set({ state: 'queued' }).where(eq(exportsTable.id, id));
    await runner.run(id, new AbortController().signal);
    const twice = await download(hub.url, localPath((await ready(id)).link));
    expect(twice.body.equals(once.body)).toBe(true);
    expect(await readdir(join(hub.dataDir, 'scratch', 'exports'))).toEqual([]);
  });

  it('fails with the reason where an audience was deleted before', async () => {
    const [row] = await db
      .insert(exportsTable)
      .values({ workspaceId: workspace.id, audienceIds: [first, 987_654], identityTypes: ['email'] })
      .returning();
    await hub.hub.app.get(ExportRunner, { strict: false }).run(row?.id ?? '', new AbortController().signal);
    const body = await hub.ok<ExportBody>('GET', `/exports/${row?.id}`);
    expect(body).toMatchObject({ state: 'failed', error: { code: 'AUDIENCE_DELETED' } });
  });

  it('is taken up by the sweep where its hint was lost', async () => {
    const id = await unqueued();
    await hub.hub.app.get(ExportSweep, { strict: false }).run();
    expect((await ready(id)).state).toBe('ready');
  });
});

describe('the download', () => {
  it('answers ranges, so that a broken download goes on', async () => {
    const { link, sizeBytes } = await ready((await ask()).id);
    const whole = await download(hub.url, localPath(link));
    const rest = await download(hub.url, localPath(link), { range: 'bytes=100-' });
    expect(rest.status).toBe(206);
    expect(rest.headers.get('content-range')).toBe(`bytes 100-${sizeBytes - 1}/${sizeBytes}`);
    expect(rest.body.equals(whole.body.subarray(100))).toBe(true);
    expect((await download(hub.url, localPath(link), { range: `bytes=${sizeBytes}-` })).status).toBe(416);
  });

  it('opens for an editor of the workspace and a genuine link, and for nobody else', async () => {
    const { id, link } = await ready((await ask()).id);
    const path = `/api/v1/exports/${id}/download`;
    const withKey = (key: string) => download(hub.url, path, { authorization: `Bearer ${key}` });
    expect((await withKey(hub.adminKey)).status).toBe(200);
    expect((await withKey(viewerKey)).status).toBe(403);
    expect((await withKey(foreignKey)).status).toBe(404);
    expect((await download(hub.url, path)).status).toBe(401);
    const url = new URL(link ?? '');
    url.searchParams.set('expires', String(Number(url.searchParams.get('expires')) + 1));
    expect((await download(hub.url, url.pathname + url.search)).status).toBe(403);
    expect((await download(hub.url, localPath(link).replace(id, randomUUID()))).status).toBe(403);
    expect((await hub.ok<ExportBody>('GET', `/exports/${id}`, undefined, viewerKey)).link).toBeNull();
  });

  it('says 410 for a link and an archive whose time is over, and the archive is deleted', async () => {
    const { id } = await ready((await ask()).id);
    const path = `/api/v1/exports/${id}/download`;
    const signer = hub.hub.app.get(LinkSigner);
    const old = new URLSearchParams({ ...signer.sign(path, new Date(Date.now() - 1000)) });
    expect((await download(hub.url, `${path}?${old.toString()}`)).status).toBe(410);
    await db
      .update(exportsTable)
      .set({ expiresAt: new Date(Date.now() - 1) })
      .where(eq(exportsTable.id, id));
    expect((await download(hub.url, path, { authorization: `Bearer ${hub.adminKey}` })).status).toBe(410);
    expect((await hub.ok<ExportBody>('GET', `/exports/${id}`)).state).toBe('expired');
    const key = `exports/${workspace.id}/${id}.zip`;
    expect(await files.stat(key)).toBeDefined();
    await hub.hub.app.get(ExportSweep, { strict: false }).run();
    expect(await files.stat(key)).toBeUndefined();
    const expired = await hub.ok<{ items: ExportBody[] }>('GET', '/exports?state=expired');
    expect(expired.items.map((item) => item.id)).toEqual([id]);
  });

  it('says 409 while the archive is not there yet', async () => {
    const id = await unqueued();
    const answer = await hub.api('GET', `/exports/${id}/download`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'WRONG_STATE' } });
    await db.delete(exportsTable).where(eq(exportsTable.id, id));
  });
});

describe('asking for an export', () => {
  it('refuses audiences of others, unknown variants, several workspaces and an empty choice', async () => {
    const identityTypes = ['email'];
    const post = (body: unknown, key?: string) => hub.api('POST', '/exports', body, key);
    expect((await post({ audienceIds: [first], identityTypes }, foreignKey)).status).toBe(404);
    expect((await post({ audienceIds: [987_654], identityTypes })).status).toBe(404);
    expect(await post({ audienceIds: [first], identityTypes, variantIds: [randomUUID()] })).toMatchObject({
      status: 422,
      body: { code: 'VARIANT_UNKNOWN' },
    });
    const elsewhere = await seedAudience({ db, warehouse }, await seedWorkspace(db), { states: [[]] });
    expect((await post({ audienceIds: [first, elsewhere], identityTypes })).status).toBe(400);
    expect((await post({ audienceIds: [], identityTypes })).status).toBe(400);
    expect((await post({ audienceIds: [first], identityTypes: ['shoe_size'] })).status).toBe(400);
    expect((await post({ audienceIds: [first], identityTypes }, viewerKey)).status).toBe(403);
  });

  it('lists the exports of the own workspace only', async () => {
    const { id } = await ready((await ask({ audienceIds: [second] })).id);
    const mine = await hub.ok<{ items: ExportBody[]; total: number }>(
      'GET',
      `/exports?audienceId=${second}&pageSize=1`,
    );
    expect(mine.items.map((item) => item.id)).toEqual([id]);
    expect(mine.total).toBeGreaterThan(1);
    const foreign = await hub.ok<{ total: number }>('GET', '/exports', undefined, foreignKey);
    expect(foreign.total).toBe(0);
    expect((await hub.api('GET', `/exports/${id}`, undefined, foreignKey)).status).toBe(404);
  });
});
