import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { codeOf } from '../src/domain/identities/index.js';
import { DeliveryPlanner } from '../src/features/deliveries/index.js';
import { audiences, audienceVersions, connections, type Database } from '../src/platform/database/index.js';
import { DATABASE, WAREHOUSE } from '../src/platform/nest/index.js';
import type { Warehouse } from '../src/platform/warehouse/index.js';
import { download, localPath } from './support/download.js';
import { startTestHub, type TestHub } from './support/hub.js';
import { readZip } from './support/read-zip.js';
import { seedWorkspace, type SeededWorkspace } from './support/seed.js';
import { Sink } from './support/sink.js';
import { until } from './support/until.js';

interface Variant {
  id: string;
  name: string;
  percentage: number;
  control: boolean;
  size: number;
}
interface Test {
  id: string;
  variants: Variant[];
}
interface View {
  id: string;
  deliveredVersion: number;
}

const SIZE = 2000;
const TWO = {
  variants: [
    { name: 'Push', percentage: 25 },
    { name: 'E-mail', percentage: 33.33 },
  ],
};

let hub: TestHub;
let db: Database;
let warehouse: Warehouse;
let workspace: SeededWorkspace;
const sinks: Sink[] = [];

beforeAll(async () => {
  hub = await startTestHub({ HUB_ALLOW_PRIVATE_EGRESS: 'true' });
  db = hub.hub.app.get<Database>(DATABASE);
  warehouse = hub.hub.app.get<Warehouse>(WAREHOUSE);
  workspace = await seedWorkspace(db);
  await warehouse.command(
    `INSERT INTO profiles SELECT ${workspace.number}, number + 1, ${codeOf('email')},
       concat('p', toString(number + 1), '@example.com') FROM numbers(${2 * SIZE})`,
  );
}, 60_000);
afterAll(async () => {
  await hub?.stop();
  for (const sink of sinks) await sink.stop();
});

/** An audience whose first version is the members 1 to {@link SIZE}. */
async function makeAudience(name: string, externalName?: string): Promise<number> {
  const row = { workspaceId: workspace.id, name, externalName, kind: 'imported' as const };
  const [audience] = await db.insert(audiences).values(row).returning();
  if (!audience) throw new Error('The audience was not made.');
  await publish(audience.id, 1, `SELECT number + 1, 1 FROM numbers(${SIZE})`, SIZE);
  return audience.id;
}

/** `select`: mpids and signs. */
async function publish(audienceId: number, version: number, select: string, size: number): Promise<void> {
  await warehouse.command(
    `INSERT INTO ledger SELECT ${audienceId}, c.1, ${version}, c.2, now64(3) FROM (SELECT tuple(*) AS c FROM (${select}))`,
  );
  await db.insert(audienceVersions).values({ audienceId, version, size, added: 0, removed: 0 });
  await db.update(audiences).set({ version, size }).where(eq(audiences.id, audienceId));
}

async function makeSink(): Promise<{ sink: Sink; outputId: string }> {
  const sink = await Sink.start();
  sinks.push(sink);
  const { id } = await hub.ok<View>('POST', '/outputs', {
    workspaceId: workspace.id,
    plugin: 'webhook',
    name: `Sink ${sinks.length}`,
    settings: { url: sink.url },
    credentials: { secret: 'shared-with-the-sink' },
  });
  return { sink, outputId: id };
}

const connect = (audienceId: number, body: object) =>
  hub.ok<View>('POST', `/audiences/${audienceId}/connections`, { status: 'active', ...body });

const delivered = (id: string, version: number) =>
  until(`version ${version} is delivered`, async () => {
    const view = await hub.ok<View>('GET', `/connections/${id}`);
    return view.deliveredVersion === version ? view : undefined;
  });

async function membersOf(audienceId: number, variantId: string): Promise<string[]> {
  const path = `/audiences/${audienceId}/members?variantId=${variantId}&pageSize=1000`;
  const found: string[] = [];
  for (let query = ''; ;) {
    const page = await hub.ok<{ items: { mpid: string }[]; next: string | null; total: number }>(
      'GET',
      path + query,
    );
    found.push(...page.items.map(({ mpid }) => mpid));
    if (page.next === null) {
      expect(found).toHaveLength(page.total);
      return found;
    }
    query = `&after=${page.next}&page=2`;
  }
}

const sorted = (mpids: Iterable<string>) => [...mpids].sort((one, other) => Number(one) - Number(other));

describe('an A/B test', () => {
  it('parts the audience for ever: each variant is listed, sent and exported as the same people', async () => {
    const audienceId = await makeAudience('Low engagement', 'Come back');
    const test = await hub.ok<Test>('PUT', `/audiences/${audienceId}/ab-test`, TWO);
    expect(test.variants).toMatchObject([
      { name: 'Push', percentage: 25, control: false },
      { name: 'E-mail', percentage: 33.33, control: false },
      { name: 'Control', percentage: 41.67, control: true },
    ]);
    expect(test.variants.reduce((sum, { size }) => sum + size, 0)).toBe(SIZE);
    expect(await hub.ok('GET', `/audiences/${audienceId}/ab-test`)).toEqual(test);
    expect(await hub.ok('GET', `/audiences/${audienceId}`)).toMatchObject({ abTest: true });

    const people = new Map<string, string[]>();
    for (const { id, size } of test.variants) {
      people.set(id, await membersOf(audienceId, id));
      expect(people.get(id)).toHaveLength(size);
    }
    expect(new Set([...people.values()].flat()).size).toBe(SIZE);

    const full = await makeSink();
    const everybody = await connect(audienceId, { outputId: full.outputId });
    const connected: { variant: Variant; sink: Sink; id: string }[] = [];
    for (const variant of test.variants) {
      const { sink, outputId } = await makeSink();
      const { id } = await connect(audienceId, { outputId, variantId: variant.id });
      connected.push({ variant, sink, id });
    }
    await delivered(everybody.id, 1);
    expect(full.sink.members.size).toBe(SIZE);
    for (const { variant, sink, id } of connected) {
      await delivered(id, 1);
      expect(sorted(sink.members)).toEqual(people.get(variant.id));
      expect([...sink.created.values()]).toEqual([`Come back - ${variant.name}`]);
    }

    // The first thousand leave and as many others come: everybody who stays keeps the variant.
    const change = `SELECT number + 1, if(number < 1000, -1, 1) FROM numbers(3000) WHERE number < 1000 OR number >= ${SIZE}`;
    await publish(audienceId, 2, change, SIZE);
    await hub.hub.app.get(DeliveryPlanner, { strict: false }).wake(audienceId);
    const after = new Set<string>();
    for (const { variant, sink, id } of connected) {
      await delivered(id, 2);
      const now = await membersOf(audienceId, variant.id);
      expect(sorted(sink.members)).toEqual(now);
      expect(sink.doubled).toEqual([]);
      const stayed = (people.get(variant.id) ?? []).filter((mpid) => Number(mpid) > 1000);
      expect(now.filter((mpid) => Number(mpid) <= SIZE)).toEqual(stayed);
      for (const mpid of now) after.add(mpid);
    }
    expect(after.size).toBe(SIZE);

    const variantIds = test.variants.slice(0, 2).map(({ id }) => id);
    const asked = { audienceIds: [audienceId], variantIds, identityTypes: ['email'] };
    const { id } = await hub.ok<View>('POST', '/exports', asked);
    const made = await until('the export is ready', async () => {
      const seen = await hub.ok<{ state: string; link: string | null }>('GET', `/exports/${id}`);
      return seen.state === 'ready' ? seen : undefined;
    });
    const { body } = await download(hub.url, localPath(made.link));
    const files = [...readZip(body)];
    expect(files.map(([name]) => name)).toEqual([
      expect.stringMatching(new RegExp(`^${audienceId}_Lowengagement_Push_`)),
      expect.stringMatching(new RegExp(`^${audienceId}_Lowengagement_E-mail_`)),
      'manifest.json',
    ]);
    for (const [index, variantId] of variantIds.entries()) {
      const lines = files[index]?.[1].toString().trim().split('\n').slice(1) ?? [];
      expect(lines.map((line) => line.split(',')[0])).toEqual(await membersOf(audienceId, variantId));
    }
    expect(JSON.parse(files[2]?.[1].toString() ?? '')).toMatchObject({ audience_ids: [audienceId] });

    const [mpid = ''] = after;
    const profile = await hub.ok<{ audiences: object[] }>(
      'GET',
      `/profiles/${mpid}?workspaceId=${workspace.id}`,
    );
    const [owner] = connected.filter(({ sink }) => sink.members.has(mpid));
    expect(profile.audiences).toMatchObject([{ id: audienceId, variant: owner?.variant.name }]);
  }, 60_000);

  it('is fixed once saved, and refused with what is wrong', async () => {
    const audienceId = await makeAudience('Fixed');
    const path = `/audiences/${audienceId}/ab-test`;
    expect(await hub.api('GET', path)).toMatchObject({ status: 404 });
    const over = {
      variants: [
        { name: 'A', percentage: 60 },
        { name: 'B', percentage: 50 },
      ],
    };
    const refused = await hub.api('PUT', path, over);
    expect(refused).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(refused.body.detail).toContain('110 %');
    expect(await hub.api('PUT', path, { variants: TWO.variants.slice(1) })).toMatchObject({ status: 400 });
    expect(
      await hub.api('PUT', path, { variants: [{ name: 'A' }, { name: '', percentage: 5 }] }),
    ).toMatchObject({
      status: 400,
    });
    await hub.ok('PUT', path, TWO);
    const again = await hub.api('PUT', path, TWO);
    expect(again).toMatchObject({ status: 409, body: { code: 'WRONG_STATE' } });
    expect(again.body.detail).toContain('Delete it first');
  });

  it('is deleted with its variants and their connections, and no other', async () => {
    const audienceId = await makeAudience('Ending');
    const test = await hub.ok<Test>('PUT', `/audiences/${audienceId}/ab-test`, TWO);
    const [push] = test.variants;
    const { outputId, sink } = await makeSink();
    const full = await connect(audienceId, { outputId, status: 'inactive' });
    const part = await connect(audienceId, { outputId, variantId: push?.id });
    await delivered(part.id, 1);
    expect(await hub.ok('DELETE', `/audiences/${audienceId}?dryRun=true`)).toMatchObject({
      variants: ['Push', 'E-mail', 'Control'],
      connections: [{ id: full.id }, { id: part.id, variant: 'Push' }],
    });
    const refused = await hub.api<{ errors: object[] }>('DELETE', `/audiences/${audienceId}`);
    expect(refused.body.errors).toContainEqual({ field: 'abTest', message: 'variant Control' });

    const ended = await hub.ok('DELETE', `/audiences/${audienceId}/ab-test`);
    expect(ended).toMatchObject({
      id: test.id,
      variants: ['Push', 'E-mail', 'Control'],
      connections: [{ id: part.id, variant: 'Push', removal: { members: 'removed', list: 'deleted' } }],
    });
    await until(
      'the variant is out of the partner',
      async () => (await hub.ok('GET', `/connections/${part.id}`)).status === 'removed',
      60_000,
    );
    expect(sink.members.size).toBe(0);
    expect((await hub.api('GET', `/connections/${full.id}`)).status).toBe(200);
    expect(await hub.ok('GET', `/audiences/${audienceId}`)).toMatchObject({ abTest: false });
    expect((await hub.api('DELETE', `/audiences/${audienceId}/ab-test`)).status).toBe(404);
    const body = { outputId, variantId: push?.id, status: 'active' };
    expect(await hub.api('POST', `/audiences/${audienceId}/connections`, body)).toMatchObject({
      status: 422,
      body: { code: 'VARIANT_UNKNOWN' },
    });
    expect(sink.doubled).toEqual([]);
    // A new test is another one: its people are drawn anew.
    const next = await hub.ok<Test>('PUT', `/audiences/${audienceId}/ab-test`, TWO);
    expect(await membersOf(audienceId, next.variants[0]?.id ?? '')).not.toEqual([]);
    expect(next.variants[0]?.id).not.toBe(push?.id);
    const copy = await hub.ok<{ id: number }>('POST', `/audiences/${audienceId}/duplicate`, {});
    expect(await hub.ok('GET', `/audiences/${copy.id}`)).toMatchObject({ abTest: false });

    // The audience takes all of it away.
    await hub.api('DELETE', `/audiences/${audienceId}?confirm=true`);
    await until(
      'the rows are gone',
      async () => (await db.$count(audiences, eq(audiences.id, audienceId))) === 0,
    );
    expect(await db.$count(connections, eq(connections.audienceId, audienceId))).toBe(0);
  }, 60_000);

  it('has variants that are connected with others at once, and again without making anything twice', async () => {
    const audienceId = await makeAudience('Bulk');
    const other = await makeAudience('Bulk too');
    const test = await hub.ok<Test>('PUT', `/audiences/${audienceId}/ab-test`, TWO);
    const variantIds = test.variants.map(({ id }) => id);
    const { outputId, sink } = await makeSink();
    const body = {
      audienceIds: [other],
      variantIds: [...variantIds, workspace.id],
      outputId,
      status: 'active',
    };
    const bulk = () => hub.ok<{ connected: View[]; failed: object[] }>('POST', '/connections/bulk', body);
    const result = await bulk();
    expect(result).toMatchObject({
      connected: [
        { audienceId: other, variantId: null },
        ...test.variants.map(({ id, name }) => ({ audienceId, variantId: id, variantName: name })),
      ],
      failed: [{ audienceId: null, variantId: workspace.id, code: 'VARIANT_UNKNOWN' }],
    });
    for (const { id } of result.connected) await delivered(id, 1);
    const again = await bulk();
    expect(again.connected.map(({ id }) => id)).toEqual(result.connected.map(({ id }) => id));
    expect([...sink.created.values()].sort()).toEqual([
      'Bulk - Control',
      'Bulk - E-mail',
      'Bulk - Push',
      'Bulk too',
    ]);
    const differing = await hub.ok<{ failed: object[] }>('POST', '/connections/bulk', {
      ...body,
      status: 'inactive',
    });
    expect(differing.failed).toMatchObject([
      { audienceId: other, code: 'ALREADY_EXISTS' },
      ...variantIds.map((variantId) => ({ audienceId, variantId, code: 'ALREADY_EXISTS' })),
      { code: 'VARIANT_UNKNOWN' },
    ]);
    expect(await hub.api('POST', '/connections/bulk', { outputId, status: 'active' })).toMatchObject({
      status: 400,
    });
  }, 60_000);
});
