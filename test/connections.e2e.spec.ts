import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { codeOf } from '../src/domain/identities/index.js';
import { DeliveryPlanner } from '../src/features/deliveries/index.js';
import { audiences, connections, workspaces, type Database } from '../src/platform/database/index.js';
import { DATABASE, WAREHOUSE } from '../src/platform/nest/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

interface View {
  id: string;
  status: string;
  deliveredVersion: number;
  openFault: { id: string; code: string } | null;
  lastDelivery: { id: string; state: string } | null;
}
interface List<Item> {
  items: Item[];
  total: number;
}

let hub: TestHub;
let sink: Sink;
let db: Database;
let workspaceId: string;
let workspace: number;
let outputId: string;

beforeAll(async () => {
  hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  sink = await Sink.start();
  db = hub.hub.app.get<Database>(DATABASE);
  const organization = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Example' });
  workspaceId = await makeWorkspace(organization.id, '1042');
  const [row] = await db.select().from(workspaces).where(eq(workspaces.id, workspaceId));
  workspace = row?.number ?? 0;
  outputId = await makeOutput(workspaceId);
}, 60_000);

afterAll(async () => {
  await hub?.stop();
  await sink?.stop();
});

async function makeWorkspace(organizationId: string, seatId: string): Promise<string> {
  return (await hub.ok<{ id: string }>('POST', '/workspaces', { organizationId, name: 'Shop', seatId })).id;
}

async function makeOutput(owner: string): Promise<string> {
  const body = {
    workspaceId: owner,
    plugin: 'webhook',
    name: 'Sink',
    settings: { url: sink.url },
    credentials: { secret: 'shared-with-the-sink' },
  };
  return (await hub.ok<{ id: string }>('POST', '/outputs', body)).id;
}

/** An audience whose first version is the members `1` to `size`; those above 90 have no identity. */
async function makeAudience(name: string, size = 100): Promise<number> {
  const row = { workspaceId, name, kind: 'imported' as const, version: 1, size };
  const [audience] = await db.insert(audiences).values(row).returning();
  if (!audience) throw new Error('The audience was not made.');
  const warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  await warehouse.command(
    `INSERT INTO ledger SELECT ${audience.id}, number + 1, 1, 1, now64(3) FROM numbers(${size})`,
  );
  await warehouse.command(
    `INSERT INTO profiles SELECT ${workspace}, number + 1, ${codeOf('email')}, concat('p', toString(number + 1), '@example.com')
     FROM numbers(90)`,
  );
  return audience.id;
}

const connect = (audienceId: number, body: object = {}) =>
  hub.api<View>('POST', `/audiences/${audienceId}/connections`, { outputId, status: 'active', ...body });

const delivered = (id: string) =>
  until('it is delivered', async () => {
    const view = await hub.ok<View>('GET', `/connections/${id}`);
    return view.deliveredVersion === 1 ? view : undefined;
  });

describe('a connection', () => {
  it('sends as soon as it is active, and shows what became of everybody', async () => {
    sink.refusedRows.add('7');
    const audienceId = await makeAudience('Spring buyers');
    const { status, body } = await connect(audienceId);
    expect([status, body.status]).toEqual([201, 'active']);
    const view = await delivered(body.id);
    expect(view.lastDelivery).toMatchObject({
      state: 'delivered',
      planned: 100,
      accepted: 89,
      rejected: 1,
      skipped: 10,
    });
    expect(sink.members.size).toBe(89);
    sink.refusedRows.clear();

    const { items, total } = await hub.ok<List<{ id: string }>>('GET', `/connections/${body.id}/deliveries`);
    expect([total, items[0]?.id]).toEqual([1, view.lastDelivery?.id]);
    const delivery = `/deliveries/${items[0]?.id}`;
    expect(await hub.ok('GET', delivery)).toMatchObject({
      state: 'delivered',
      fromVersion: 0,
      toVersion: 1,
      error: null,
    });
    const rejected = await hub.ok<List<object>>('GET', `${delivery}/outcomes?status=rejected`);
    expect(rejected).toMatchObject({
      total: 1,
      items: [{ mpid: '7', operation: 'add', code: 'UNKNOWN_PERSON' }],
    });
    const skipped = await hub.ok<List<object>>(
      'GET',
      `${delivery}/outcomes?code=NO_ACCEPTED_IDENTITY&pageSize=3&page=4`,
    );
    expect(skipped).toMatchObject({ total: 10, items: [{ mpid: '100', status: 'skipped' }] });
    const csv = await hub.api<string>('GET', `${delivery}/outcomes?format=csv&status=rejected`);
    expect(csv.headers.get('content-type')).toMatch(/^text\/csv/);
    expect(csv.body.trim().split('\n')).toEqual([
      'mpid,operation,status,code,message,batchId,count',
      expect.stringMatching(/^7,add,rejected,UNKNOWN_PERSON,Nobody here,[0-9a-f]{32},1$/),
    ]);
  });

  it('sends nothing while it is inactive, and everything once it is activated', async () => {
    const audienceId = await makeAudience('Waiting', 10);
    const { body } = await connect(audienceId, { status: 'inactive' });
    expect(await hub.hub.app.get(DeliveryPlanner, { strict: false }).wake(audienceId)).toBe(0);
    const { total } = await hub.ok<List<object>>('GET', `/connections/${body.id}/deliveries`);
    expect(total).toBe(0);
    await hub.ok('PATCH', `/connections/${body.id}`, { status: 'active' });
    await delivered(body.id);
    const list = await hub.ok<List<View>>('GET', `/audiences/${audienceId}/connections`);
    expect(list).toMatchObject({
      total: 1,
      items: [{ id: body.id, deliveredVersion: 1, audienceVersion: 1 }],
    });
  });

  it('is faulted where the partner refuses the credentials, seen everywhere, and goes on by Resume', async () => {
    sink.failure = () => ({ status: 401 });
    const audienceId = await makeAudience('Refused', 10);
    const { body } = await connect(audienceId);
    const view = await until('it is faulted', async () => {
      const seen = await hub.ok<View>('GET', `/connections/${body.id}`);
      return seen.status === 'faulted' ? seen : undefined;
    });
    const faultId = view.openFault?.id;
    expect(view.openFault).toMatchObject({ kind: 'auth', code: 'HTTP_401' });
    const open = await hub.ok<List<object>>(
      'GET',
      `/faults?open=true&audienceId=${audienceId}&outputId=${outputId}`,
    );
    expect(open).toMatchObject({
      total: 1,
      items: [{ id: faultId, connectionId: body.id, resolvedAt: null }],
    });
    expect(await hub.ok('GET', `/outputs/${outputId}`)).toMatchObject({ openFaults: 1 });
    const activated = await hub.api('PATCH', `/connections/${body.id}`, { status: 'inactive' });
    expect(activated.status).toBe(200);
    expect(await hub.api('PATCH', `/connections/${body.id}`, { status: 'active' })).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    });

    sink.failure = () => undefined;
    await hub.ok('POST', `/faults/${faultId}/resume`);
    await hub.ok('PATCH', `/connections/${body.id}`, { status: 'active' });
    await delivered(body.id);
    expect(await hub.api('POST', `/faults/${faultId}/resume`)).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    });
    const resolved = await hub.ok<List<object>>('GET', `/faults?open=false&connectionId=${body.id}`);
    expect(resolved).toMatchObject({ total: 1, items: [{ resolvedBy: expect.any(String) }] });
  });

  it('is refused with the reason where it cannot be', async () => {
    const audienceId = await makeAudience('Twice', 1);
    const { body } = await connect(audienceId, { status: 'inactive' });
    expect(await connect(audienceId)).toMatchObject({ status: 409, body: { code: 'ALREADY_EXISTS' } });
    expect(await connect(audienceId, { settings: { colour: 'red' } })).toMatchObject({
      status: 422,
      body: { code: 'SETTINGS_INVALID' },
    });
    expect(await connect(audienceId, { variantId: workspaceId })).toMatchObject({
      status: 422,
      body: { code: 'VARIANT_UNKNOWN' },
    });
    expect(await connect(audienceId, { outputId: workspaceId })).toMatchObject({ status: 404 });
    expect(await connect(audienceId, { status: 'faulted' })).toMatchObject({ status: 400 });
    const elsewhere = await hub.ok<{ id: string }>('POST', '/organizations', { name: 'Other' });
    const foreign = await makeOutput(await makeWorkspace(elsewhere.id, '7'));
    expect(await connect(audienceId, { outputId: foreign })).toMatchObject({ status: 400 });
    await hub.ok('DELETE', `/connections/${body.id}`);
    expect((await hub.api('GET', `/connections/${body.id}`)).status).toBe(404);
  });
});

describe('the name that partners see', () => {
  const rename = (audienceId: number, body: object) => hub.api('PATCH', `/audiences/${audienceId}`, body);
  const outputOf = async (plugin: string, settings: object, credentials?: object) => {
    const body = { workspaceId, plugin, name: plugin, settings, credentials };
    return (await hub.ok<{ id: string }>('POST', '/outputs', body)).id;
  };

  it('is told to partners that can change it, also after a failure, and to those who see it later', async () => {
    const audienceId = await makeAudience('Spring', 5);
    const { body } = await connect(audienceId);
    await delivered(body.id);
    const files = await outputOf('file', { destination: hub.dataDir });
    const waiting = await connect(audienceId, { outputId: files, status: 'inactive' });
    sink.failure = (_, event) => (event === 'audience.renamed' ? { status: 503 } : undefined);
    const told = { outcome: 'told' };
    expect(await rename(audienceId, { externalName: 'Summer' })).toMatchObject({
      status: 200,
      body: {
        externalName: 'Summer',
        renames: [
          { connectionId: body.id, ...told },
          { connectionId: waiting.body.id, ...told },
        ],
      },
    });
    const tries = await until('it was tried', async () => {
      const { items } = await hub.ok<List<{ id: string; error: object }>>(
        'GET',
        `/connections/${body.id}/deliveries`,
      );
      return items[0]?.error ? items : undefined;
    });
    expect(tries[0]).toMatchObject({ fromVersion: 1, toVersion: 1, error: { code: 'HTTP_503' } });
    sink.failure = () => undefined;
    await until('it is told', () => sink.renamed.includes('Summer'), 20_000);
    await until('nothing is left to tell', async () => {
      const [row] = await db.select().from(connections).where(eq(connections.id, body.id));
      return row?.renamePending === false;
    });
    // The same again changes nothing, and tags are not a name.
    expect((await rename(audienceId, { externalName: 'Summer', tags: ['x'] })).body).not.toHaveProperty(
      'renames',
    );
    expect(sink.renamed.filter((name) => name === 'Summer')).toHaveLength(1);
  }, 60_000);

  it('is kept by partners that cannot change it, which the answer says', async () => {
    const audienceId = await makeAudience('Fixed', 5);
    const braze = await outputOf(
      'braze',
      { endpoint: 'https://rest.iad-01.braze.com' },
      { apiKey: 'not-a-key' },
    );
    const { body } = await connect(audienceId, { outputId: braze, status: 'inactive' });
    await db.update(connections).set({ externalId: 'Fixed' }).where(eq(connections.id, body.id));
    expect(await rename(audienceId, { name: 'Changed' })).toMatchObject({
      status: 200,
      body: { renames: [{ connectionId: body.id, outputName: 'braze', outcome: 'kept' }] },
    });
  });

  it('is linted before the partner sees it: at connecting, renaming and of variants', async () => {
    const list = await outputOf('mailchimp', { listId: 'a1b2c3d4e5' }, { apiKey: 'not-a-key-us6' });
    const audienceId = await makeAudience('x'.repeat(101), 1);
    const at = { outputId: list, status: 'inactive' };
    const refused = await connect(audienceId, at);
    expect(refused).toMatchObject({ status: 422, body: { code: 'NAME_REFUSED' } });
    expect(JSON.stringify(refused.body)).toContain(
      'it has 101 characters. A name may have at most 100 characters.',
    );
    // A tag of the connection's own is what the partner sees then.
    const tagged = await connect(audienceId, { ...at, settings: { tag: 'vip' } });
    expect(tagged.status).toBe(201);
    const untagged = await hub.api('PATCH', `/connections/${tagged.body.id}`, { settings: {} });
    expect(untagged).toMatchObject({ status: 422, body: { code: 'NAME_REFUSED' } });
    expect((await rename(audienceId, { name: 'y'.repeat(120) })).body).not.toHaveProperty('renames');
    expect((await rename(audienceId, { name: 'Short' })).status).toBe(200);
    expect((await hub.api('PATCH', `/connections/${tagged.body.id}`, { settings: {} })).status).toBe(200);
    expect(await rename(audienceId, { name: 'y'.repeat(120) })).toMatchObject({ status: 422 });
    expect(await hub.ok('GET', `/audiences/${audienceId}`)).toMatchObject({ name: 'Short' });

    const variants = [
      { name: 'v'.repeat(95), percentage: 50 },
      { name: 'B', percentage: 50 },
    ];
    const test = await hub.ok<{ variants: { id: string }[] }>('PUT', `/audiences/${audienceId}/ab-test`, {
      variants,
    });
    const [long, short] = test.variants.map(({ id }) => id);
    expect(await connect(audienceId, { ...at, variantId: long })).toMatchObject({ status: 422 });
    expect((await connect(audienceId, { ...at, variantId: short })).status).toBe(201);
    const braze = await outputOf(
      'braze',
      { endpoint: 'https://rest.iad-01.braze.com' },
      { apiKey: 'not-a-key' },
    );
    const reserved = await connect(await makeAudience('email', 1), { outputId: braze, status: 'inactive' });
    expect(reserved).toMatchObject({ status: 422, body: { code: 'NAME_REFUSED' } });
  });
});

describe('many connections at once', () => {
  it('succeed or fail each by itself', async () => {
    const [first, second] = [await makeAudience('One', 5), await makeAudience('Two', 5)];
    await connect(second, { status: 'inactive' });
    const body = { audienceIds: [first, second, 999_999], outputId, status: 'active', settings: {} };
    const result = await hub.ok<{ connected: View[]; failed: object[] }>('POST', '/connections/bulk', body);
    expect(result).toMatchObject({
      connected: [{ audienceId: first, outputId }],
      failed: [
        { audienceId: second, code: 'ALREADY_EXISTS' },
        { audienceId: 999_999, code: 'NOT_FOUND' },
      ],
    });
    await delivered(result.connected[0]?.id ?? '');
  });
});
