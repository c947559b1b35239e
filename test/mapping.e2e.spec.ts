import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestHub, type TestHub } from './support/hub.js';
import { makeTenant, type Tenant } from './support/tenants.js';
import { until } from './support/until.js';

interface Import {
  id: string;
  state: string;
  audienceId: number;
  version: number | null;
  error: { code: string; message: string } | null;
  mappingChange: {
    added: string[];
    removed: string[];
    renamed: { field: string; from: string; to: string }[];
    changed: { field: string; from: string; to: string }[];
  } | null;
}

interface Mapping {
  version: number;
  columns: { header: string; field: string }[];
  identityTypes: string[];
  importId: string | null;
  approvedBy: string | null;
}

let hub: TestHub;
let tenant: Tenant;
let dropRoot: string;
let inputId: string;

beforeAll(async () => {
  dropRoot = await mkdtemp(join(tmpdir(), 'hub-mapping-'));
  hub = await startTestHub();
  tenant = await makeTenant(hub, 'Alpha');
  const { workspaceId } = tenant;
  await hub.ok('POST', '/users', { workspaceId, email: 'admin@example.com', name: 'Ann', role: 'admin' });
  const settings = { path: dropRoot, layout: 'iqm', stableForMs: 0 };
  const body = { workspaceId, plugin: 'folder-drop', name: 'Drop', settings };
  inputId = (await hub.ok<{ id: string }>('POST', '/inputs', body)).id;
}, 60_000);

afterAll(async () => {
  await hub?.stop();
  await rm(dropRoot, { recursive: true, force: true });
});

let ticks = 0;
const taken = new Set<string>();

/** Puts a file, and queues its import. */
async function put(name: string, content: string): Promise<string> {
  const path = join(dropRoot, `onboarding/seat_id=seat-alpha/files/${name}.csv`);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  // Two files of one size within a clock tick are still two revisions.
  const past = new Date(Date.now() - 3_600_000 + (ticks += 1000));
  await utimes(path, past, past);
  await hub.ok('POST', `/inputs/${inputId}/scan`);
  // Not the scan's own answer: the hub's regular scan may have come first.
  return until(`${name} is queued`, async () => {
    const { items } = await hub.ok<{ items: (Import & { sourceKey: string })[] }>(
      'GET',
      `/imports?inputId=${inputId}`,
    );
    const fresh = items.find(({ id, sourceKey }) => sourceKey.endsWith(`/${name}.csv`) && !taken.has(id));
    if (fresh) taken.add(fresh.id);
    return fresh?.id;
  });
}

const ended = (id: string) =>
  until(
    'the import is at its end',
    async () => {
      const row = await hub.ok<Import>('GET', `/imports/${id}`);
      return ['queued', 'running'].includes(row.state) ? undefined : row;
    },
    30_000,
  );

const importOf = async (name: string, content: string) => ended(await put(name, content));

const sizeOf = async (audienceId: number) =>
  (await hub.ok<{ size: number }>('GET', `/audiences/${audienceId}`)).size;

const mappingsOf = async (audienceId: number) =>
  (await hub.ok<{ items: Mapping[] }>('GET', `/audiences/${audienceId}/mapping`)).items;

const approve = (audienceId: number, importId: string, key: string | undefined = tenant.admin) =>
  hub.api<{ id: string; state: string; code?: string; detail?: string }>(
    'POST',
    `/audiences/${audienceId}/mapping/approve`,
    { importId },
    key,
  );

const EMAILS = 'Email\nann@example.com\nben@example.com\n';
const PHONES = 'Phone\n+12125550101\n+12125550102\n';

describe('the columns of an audience', () => {
  it('are locked by the first file that worked, whatever other columns come and go', async () => {
    const first = await importOf('Kept', EMAILS);
    expect(first).toMatchObject({ state: 'published', mappingChange: null });
    expect(await mappingsOf(first.audienceId)).toEqual([
      expect.objectContaining({
        version: 1,
        columns: [{ header: 'Email', field: 'Email' }],
        identityTypes: ['email'],
        importId: first.id,
        approvedBy: null,
      }),
    ]);
    const wider = await importOf('Kept', 'Shoe size,E-MAIL\n40,ann@example.com\n41,cat@example.com\n');
    expect(wider).toMatchObject({ state: 'published' });
    const narrower = await importOf('Kept', 'email\nann@example.com\nben@example.com\n');
    expect(narrower).toMatchObject({ state: 'published' });
    expect(await mappingsOf(first.audienceId)).toHaveLength(1);
  });

  it('block a file that changes them: with the difference, the members of before, and a mail that names the call', async () => {
    const { audienceId } = await importOf('Blocked', EMAILS);
    const hash = 'a'.repeat(64);
    const blocked = await importOf('Blocked', `Email-SHA256,Cell,LALVOTERID\n${hash},+12125550101,LALNY1\n`);
    expect(blocked).toMatchObject({
      state: 'failed',
      error: { code: 'MAPPING_CHANGED' },
      mappingChange: {
        added: ['Phone ("Cell")', 'Voter ID ("LALVOTERID")'],
        removed: [],
        renamed: [],
        changed: [{ field: 'Email', from: 'raw', to: 'SHA-256' }],
      },
    });
    expect(await sizeOf(audienceId)).toBe(2);
    const { items } = await hub.ok<{ items: { subject: string; body: string }[] }>('GET', '/outbox');
    const mail = items.find(({ body }) => body.includes(blocked.id));
    expect(mail?.body).toContain(`POST /api/v1/audiences/${audienceId}/mapping/approve`);
    expect(mail?.body).toContain(`{"importId": "${blocked.id}"}`);
  });
});

describe('the approval of a changed mapping', () => {
  it('is one call of an admin: the import goes on, and the mapping is the next version', async () => {
    const { audienceId } = await importOf('Approved', EMAILS);
    const blocked = await importOf('Approved', PHONES);
    expect((await approve(audienceId, blocked.id, tenant.editor)).status).toBe(403);
    expect(await sizeOf(audienceId)).toBe(2);
    expect(await approve(audienceId, blocked.id)).toMatchObject({ status: 200, body: { id: blocked.id } });
    expect(await ended(blocked.id)).toMatchObject({ state: 'published', version: 2, mappingChange: null });
    const [newest, oldest] = await mappingsOf(audienceId);
    expect(newest).toMatchObject({
      version: 2,
      identityTypes: ['phone'],
      importId: blocked.id,
      approvedBy: `${tenant.secretName} admin`,
    });
    expect(oldest).toMatchObject({ version: 1, identityTypes: ['email'] });
    expect(await approve(audienceId, blocked.id)).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    });
  });

  it('blocks a file with the columns of before in turn', async () => {
    const { audienceId } = await importOf('Turned', EMAILS);
    const blocked = await importOf('Turned', PHONES);
    await approve(audienceId, blocked.id);
    await ended(blocked.id);
    const back = await importOf('Turned', EMAILS);
    expect(back).toMatchObject({
      state: 'failed',
      error: { code: 'MAPPING_CHANGED' },
      mappingChange: { added: ['Email'], removed: ['Phone'] },
    });
    expect((await approve(audienceId, back.id)).status).toBe(200);
    expect(await ended(back.id)).toMatchObject({ state: 'published' });
    expect((await mappingsOf(audienceId)).map(({ version }) => version)).toEqual([3, 2, 1]);
  });

  it('leaves the guard in its place: a file that would shrink the audience is held', async () => {
    const people = Array.from({ length: 10 }, (_, n) => `p${n}@example.com`).join('\n');
    const { audienceId } = await importOf('Guarded', `Email\n${people}\n`);
    const blocked = await importOf('Guarded', PHONES);
    await approve(audienceId, blocked.id);
    expect(await ended(blocked.id)).toMatchObject({ state: 'held', error: { code: 'WOULD_SHRINK' } });
    expect(await sizeOf(audienceId)).toBe(10);
    await hub.ok('POST', `/imports/${blocked.id}/release`);
    expect(await ended(blocked.id)).toMatchObject({ state: 'published' });
    expect(await sizeOf(audienceId)).toBe(2);
  });

  it('is refused where a newer file came: that one has the last word', async () => {
    const { audienceId } = await importOf('Overtaken', EMAILS);
    const older = await importOf('Overtaken', PHONES);
    const newer = await importOf('Overtaken', `${EMAILS}cat@example.com\n`);
    expect(newer).toMatchObject({ state: 'published' });
    const refused = await approve(audienceId, older.id);
    expect(refused).toMatchObject({ status: 409, body: { code: 'WRONG_STATE' } });
    expect(refused.body.detail).toContain(newer.id);
    expect(await mappingsOf(audienceId)).toHaveLength(1);
  });

  it('is what the release of a blocked import is as well', async () => {
    const { audienceId } = await importOf('Released', EMAILS);
    const blocked = await importOf('Released', PHONES);
    const release = (key: string) => hub.api('POST', `/imports/${blocked.id}/release`, undefined, key);
    expect((await release(tenant.editor)).status).toBe(403);
    expect((await release(tenant.admin)).status).toBe(200);
    expect(await ended(blocked.id)).toMatchObject({ state: 'published' });
    expect((await mappingsOf(audienceId)).map(({ version }) => version)).toEqual([2, 1]);
  });

  it('and a file that comes at the same moment leave the newer one with the last word', async () => {
    const { audienceId } = await importOf('Raced', EMAILS);
    const blocked = await importOf('Raced', PHONES);
    const [approval, newest] = await Promise.all([
      approve(audienceId, blocked.id),
      put('Raced', `${EMAILS}cat@example.com\n`),
    ]);
    const last = await ended(newest);
    const inForce = (await mappingsOf(audienceId))[0]?.identityTypes;
    if (approval.status === 200) {
      expect(inForce).toEqual(['phone']);
      expect(last).toMatchObject({ state: 'failed', error: { code: 'MAPPING_CHANGED' } });
    } else {
      expect(approval.status).toBe(409);
      expect(inForce).toEqual(['email']);
      expect(last).toMatchObject({ state: 'published' });
    }
  });

  it('is refused for an import of another audience, and for one that is not blocked', async () => {
    const one = await importOf('One', EMAILS);
    const other = await importOf('Other', EMAILS);
    const blocked = await importOf('Other', PHONES);
    expect((await approve(one.audienceId, blocked.id)).status).toBe(404);
    expect(await approve(other.audienceId, other.id)).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    });
  });
});
