import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { audiences, connections, outputs, type Database } from '../src/platform/database/index.js';
import { DATABASE } from '../src/platform/nest/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { makeTenant, type Tenant } from './support/tenants.js';

const SECRET = 'canary-secret-of-the-webhook';

let hub: TestHub;
let tenant: Tenant;
let drops: string;
let partner: Server;
let partnerUrl: string;
let partnerStatus = 200;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'hub-test-'));
  drops = join(dataDir, 'drops');
  await mkdir(drops, { recursive: true });
  hub = await startTestHub({
    HUB_DATA: dataDir,
    HUB_DROP_ROOTS: drops,
    HUB_ALLOW_PRIVATE_EGRESS: 'true',
    HUB_PLUGINS: './test/plugins/forgetful-output.ts',
  });
  tenant = await makeTenant(hub, 'Connectors');
  partner = createServer((request, response) => {
    request.resume();
    request.once('end', () => response.writeHead(partnerStatus).end());
  });
  await new Promise<void>((resolve) => partner.listen(0, '127.0.0.1', resolve));
  partnerUrl = `http://127.0.0.1:${(partner.address() as AddressInfo).port}/hook`;
}, 120_000);

afterAll(async () => {
  await hub?.stop();
  await new Promise((resolve) => partner.close(resolve));
});

function webhook(more: object = {}): object {
  return {
    workspaceId: tenant.workspaceId,
    plugin: 'webhook',
    name: 'Partner',
    settings: { url: partnerUrl },
    credentials: { secret: SECRET },
    ...more,
  };
}

describe('outputs', () => {
  it('never give their credentials back, and keep them sealed', async () => {
    const made = await hub.ok<{ id: string }>('POST', '/outputs', webhook());
    const seen = [made, await hub.ok('GET', `/outputs/${made.id}`), await hub.ok('GET', '/outputs')];
    expect(seen[1]).toMatchObject({ hasCredentials: true, credentialFields: ['secret'], openFaults: 0 });
    const rows = await hub.hub.app.get<Database>(DATABASE).select().from(outputs);
    expect(JSON.stringify([seen, rows])).not.toContain(SECRET);
  });

  it('keep the credentials where only the settings change, and lose the old ones where new ones come', async () => {
    const db = hub.hub.app.get<Database>(DATABASE);
    const stored = async (id: string) => (await db.select().from(outputs).where(eq(outputs.id, id)))[0];
    const { id } = await hub.ok<{ id: string }>('POST', '/outputs', webhook());
    const first = await stored(id);
    await hub.ok('PATCH', `/outputs/${id}`, { settings: { url: `${partnerUrl}/2` }, name: 'Renamed' });
    expect(await stored(id)).toMatchObject({ name: 'Renamed', credentials: first?.credentials });
    await hub.ok('PATCH', `/outputs/${id}`, { credentials: { secret: 'another-secret' } });
    expect((await stored(id))?.credentials).not.toBe(first?.credentials);
  });

  it('are checked against the plugin, with the path of every field and no value', async () => {
    const wrong = webhook({ settings: { url: 'canary', colour: 'canary' } });
    const { status, body } = await hub.api('POST', '/outputs', wrong);
    expect([status, body]).toMatchObject([422, { code: 'SETTINGS_INVALID' }]);
    const fields = (body as { errors: { field: string }[] }).errors.map(({ field }) => field);
    expect(fields.sort((a, b) => a.localeCompare(b))).toEqual(['settings.colour', 'settings.url']);
    expect(JSON.stringify(body)).not.toContain('canary');
    const bare = await hub.api('POST', '/outputs', webhook({ credentials: undefined }));
    expect(bare).toMatchObject({ status: 422, body: { errors: [{ field: 'credentials.secret' }] } });
    const unknown = await hub.api('POST', '/outputs', webhook({ plugin: 'folder-drop' }));
    expect(unknown).toMatchObject({ status: 422, body: { code: 'PLUGIN_UNKNOWN' } });
  });

  it('are refused where their partner forgets faster than the hub adds again, and so are connections', async () => {
    const refusal = {
      status: 422,
      body: {
        code: 'SETTINGS_INVALID',
        errors: [{ message: expect.stringContaining('expireAfterMs says') }],
      },
    };
    const { workspaceId } = tenant;
    const given = { workspaceId, plugin: 'forgetful-ads', name: 'Sieve' };
    expect(await hub.api('POST', '/outputs', { ...given, settings: { hours: 23 } })).toMatchObject(refusal);
    const output = await hub.ok<{ id: string }>('POST', '/outputs', { ...given, settings: { hours: 24 } });
    expect(await hub.api('PATCH', `/outputs/${output.id}`, { settings: { hours: 23 } })).toMatchObject(
      refusal,
    );
    const row = { workspaceId, name: 'Forgotten', kind: 'imported' as const };
    const [audience] = await hub.hub.app.get<Database>(DATABASE).insert(audiences).values(row).returning();
    const path = `/audiences/${audience?.id}/connections`;
    const body = { outputId: output.id, status: 'inactive' };
    expect(await hub.api('POST', path, { ...body, settings: { hours: 23 } })).toMatchObject(refusal);
    const { id } = await hub.ok<{ id: string }>('POST', path, { ...body, settings: { hours: 48 } });
    expect(await hub.api('PATCH', `/connections/${id}`, { settings: { hours: 23 } })).toMatchObject(refusal);
  });

  it('say whether they work', async () => {
    const { id } = await hub.ok<{ id: string }>('POST', '/outputs', webhook());
    expect(await hub.ok('POST', `/outputs/${id}/check`)).toEqual({ ok: true });
    partnerStatus = 401;
    const refused = await hub.ok('POST', `/outputs/${id}/check`);
    partnerStatus = 200;
    expect(refused).toEqual({ ok: false, kind: 'auth', code: 'HTTP_401', message: expect.any(String) });
  });

  it('go only when nothing is connected, or by force', async () => {
    const { id } = await hub.ok<{ id: string }>('POST', '/outputs', webhook());
    const db = hub.hub.app.get<Database>(DATABASE);
    const { workspaceId } = tenant;
    const [audience] = await db
      .insert(audiences)
      .values({ workspaceId, name: 'Hikers', kind: 'imported' })
      .returning();
    const audienceId = audience?.id ?? 0;
    await db.insert(connections).values({ workspaceId, audienceId, outputId: id, status: 'inactive' });
    expect(await hub.ok('GET', `/outputs/${id}`)).toMatchObject({ connectedAudiences: 1 });
    expect(await hub.api('DELETE', `/outputs/${id}`)).toMatchObject({
      status: 409,
      body: { code: 'IN_USE', errors: [{ message: `audience ${audienceId} (Hikers)` }] },
    });
    expect(await hub.api('DELETE', `/workspaces/${workspaceId}`)).toMatchObject({
      status: 409,
      body: { code: 'IN_USE' },
    });
    await hub.ok('DELETE', `/outputs/${id}?force=true`);
    expect(await db.$count(connections, eq(connections.audienceId, audienceId))).toBe(0);
  });
});

describe('inputs', () => {
  const drop = (more: object = {}) => ({
    workspaceId: tenant.workspaceId,
    plugin: 'folder-drop',
    name: 'Drop',
    settings: { path: drops, layout: 'repro' },
    enabled: false,
    ...more,
  });

  it('say whether they work, and what to mend where they do not', async () => {
    const { id } = await hub.ok<{ id: string }>('POST', '/inputs', drop());
    expect(await hub.ok('POST', `/inputs/${id}/check`)).toEqual({ ok: true });
    await writeFile(join(drops, 'file'), 'no folder');
    await hub.ok('PATCH', `/inputs/${id}`, { settings: { path: join(drops, 'file'), layout: 'repro' } });
    expect(await hub.ok('POST', `/inputs/${id}/check`)).toMatchObject({ ok: false, kind: 'config' });
  });

  it('read no folder outside of the roots', async () => {
    const outside = drop({ settings: { path: hub.dataDir, layout: 'repro' } });
    const up = drop({ settings: { path: join(drops, '..'), layout: 'repro' } });
    for (const body of [outside, up]) {
      expect(await hub.api('POST', '/inputs', body)).toMatchObject({
        status: 422,
        body: { code: 'FOLDER_REFUSED' },
      });
    }
  });

  it('serve the seats of their maker: one workspace, or the organization', async () => {
    const own = await hub.ok<{ id: string }>('POST', '/inputs', drop(), tenant.editor);
    expect(own).toMatchObject({ routing: 'workspace' });
    const wide = await hub.ok<{ id: string }>('POST', '/inputs', drop());
    expect(wide).toMatchObject({ routing: 'organization' });
    const reach = { routing: 'organization' };
    expect((await hub.api('PATCH', `/inputs/${own.id}`, reach, tenant.admin)).status).toBe(403);
    const elsewhere = { settings: { path: join(drops, 'elsewhere'), layout: 'iqm' } };
    expect((await hub.api('PATCH', `/inputs/${wide.id}`, elsewhere, tenant.admin)).status).toBe(403);
    expect((await hub.api('DELETE', `/inputs/${wide.id}`, undefined, tenant.admin)).status).toBe(403);
    expect((await hub.api('DELETE', `/inputs/${own.id}`, undefined, tenant.editor)).status).toBe(204);
  });

  it('go back to what the plugin says of unknown ids', async () => {
    const { id } = await hub.ok<{ id: string }>('POST', '/inputs', drop({ onUnknown: 'create' }));
    expect(await hub.ok('PATCH', `/inputs/${id}`, { name: 'Other' })).toMatchObject({ onUnknown: 'create' });
    expect(await hub.ok('PATCH', `/inputs/${id}`, { onUnknown: null })).toMatchObject({ onUnknown: null });
  });
});
