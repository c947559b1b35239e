import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RemovalScene } from './support/removal-scene.js';
import { makeTenant } from './support/tenants.js';
import { until } from './support/until.js';

interface List<Item> {
  items: Item[];
  total: number;
}

let scene: RemovalScene;
beforeAll(async () => {
  scene = await RemovalScene.open();
}, 120_000);
afterAll(() => scene?.close());
afterEach(() => {
  scene.sink.failure = () => undefined;
  scene.sink.refusedRows.clear();
  expect(scene.sink.doubled).toEqual([]);
  scene.sink.reset();
});

/** The receiver refuses every removal until this is called with false. */
const refuseRemovals = (refuse: boolean) => {
  scene.sink.failure = (_, event) =>
    refuse && (scene.sink.batches.at(-1)?.operation === 'remove' || event === 'audience.deleted')
      ? { status: 401 }
      : undefined;
};
const numbers = (mpids: Iterable<string>) => [...mpids].map(Number).sort((a, b) => a - b);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('deleting more than a connection', () => {
  it('a test takes out those of its variants, and leaves the full audience where it is', async () => {
    const audienceId = await scene.audience('Tested', 301, 360);
    const test = await scene.hub.ok<{ variants: { id: string; name: string; size: number }[] }>(
      'PUT',
      `/audiences/${audienceId}/ab-test`,
      {
        variants: [
          { name: 'A', percentage: 40 },
          { name: 'B', percentage: 40 },
        ],
      },
    );
    const [a] = test.variants;
    const full = await scene.delivered(audienceId, await scene.mailchimpOutput());
    const part = await scene.delivered(audienceId, await scene.webhook(), { variantId: a?.id });
    expect(scene.sink.members.size).toBe(a?.size);
    expect(await scene.hub.ok('DELETE', `/audiences/${audienceId}/ab-test`)).toMatchObject({
      connections: [{ id: part, variant: 'A', removal: { members: 'removed', list: 'deleted' } }],
    });
    expect(await scene.removed(part)).toMatchObject({ lastDelivery: { accepted: a?.size } });
    expect(scene.sink.members.size).toBe(0);
    expect(await scene.get(full)).toMatchObject({ status: 'active', removal: null });
    expect(scene.tagged('Tested')).toEqual(range(301, 360));
  });

  it('an audience is cleaned up only when it is out at every partner', async () => {
    const audienceId = await scene.audience('Ending', 401, 430);
    const tag = await scene.delivered(audienceId, await scene.mailchimpOutput());
    const hook = await scene.delivered(audienceId, await scene.webhook());
    refuseRemovals(true);
    const foreseen = await scene.hub.ok<{ connections: object[] }>(
      'DELETE',
      `/audiences/${audienceId}?dryRun=true`,
    );
    expect(foreseen.connections).toMatchObject([
      { id: tag, status: 'active', removal: { members: 'with_list', list: 'deleted' } },
      { id: hook, status: 'active', removal: { members: 'removed', list: 'deleted' } },
    ]);
    const answer = await scene.hub.ok<{ connections: object[] }>(
      'DELETE',
      `/audiences/${audienceId}?confirm=true`,
    );
    expect(answer.connections).toMatchObject([
      { id: tag, status: 'removing' },
      { id: hook, status: 'removing' },
    ]);
    expect((await scene.hub.api('GET', `/audiences/${audienceId}`)).status).toBe(404);
    const stopped = await scene.seen(hook, ({ openFault }) => openFault !== null);
    await scene.removed(tag);
    expect(scene.tagged('Ending')).toBeUndefined();
    const { workspaceId } = scene.tenant;
    const path = `/connections?workspaceId=${workspaceId}&status=removing`;
    expect((await scene.hub.ok<List<object>>('GET', path)).items).toMatchObject([{ id: hook, audienceId }]);
    expect(await scene.ledgerRows(audienceId)).toBe(30);
    refuseRemovals(false);
    await scene.hub.ok('POST', `/faults/${stopped.openFault?.id}/resume`);
    await scene.cleanedUp(audienceId);
    expect(await scene.ledgerRows(audienceId)).toBe(0);
    expect(numbers(scene.sink.members)).toEqual([]);
    const audit = await scene.hub.ok<List<object>>(
      'GET',
      `/audit?objectId=${hook}&action=connection.removed`,
    );
    expect(audit.items).toMatchObject([
      { changes: { outcome: { to: 'removed' }, members: { to: { accepted: 30 } } } },
    ]);
  });

  it('several audiences say of each what becomes of what they sent', async () => {
    const audienceId = await scene.audience('One of many', 451, 460);
    const hook = await scene.delivered(audienceId, await scene.webhook());
    const answer = await scene.hub.ok('POST', '/audiences/bulk-delete', { ids: [audienceId], confirm: true });
    expect(answer).toMatchObject({
      deleted: [audienceId],
      connections: [{ id: hook, removal: { members: 'removed', list: 'deleted' } }],
    });
    await scene.cleanedUp(audienceId);
    expect(scene.sink.members.size).toBe(0);
  });
});

describe('what became of a deleted audience', () => {
  interface Removal {
    finishedAt: string | null;
    connections: object[];
  }
  const removalOf = (audienceId: number, key?: string) =>
    scene.hub.api<Removal>('GET', `/audiences/${audienceId}/removal`, undefined, key);

  it('can be followed at each partner, and read when nothing else is left of it', async () => {
    const audienceId = await scene.audience('Followed', 601, 620);
    const tag = await scene.delivered(audienceId, await scene.mailchimpOutput());
    const hook = await scene.delivered(audienceId, await scene.webhook());
    const idle = await scene.connect(audienceId, await scene.webhook(), { status: 'inactive' });
    expect(await removalOf(audienceId)).toMatchObject({ status: 409, body: { code: 'WRONG_STATE' } });
    refuseRemovals(true);
    await scene.hub.ok('DELETE', `/audiences/${audienceId}?confirm=true`);
    await scene.removed(tag);
    const stopped = await scene.seen(hook, ({ openFault }) => openFault !== null);
    const before = await removalOf(audienceId, scene.tenant.viewer);
    const tagEnd = { id: tag, status: 'removed', removal: { members: 'with_list', outcome: 'removed' } };
    const neverSent = { id: idle, status: 'removed', removal: { outcome: 'never_sent' }, counts: null };
    expect(before).toMatchObject({ status: 200, body: { name: 'Followed', audienceId, finishedAt: null } });
    expect(before.body.connections).toMatchObject([
      { ...tagEnd, output: 'mailchimp', fault: null },
      {
        id: hook,
        output: 'webhook',
        status: 'removing',
        removal: { members: 'removed', outcome: null, finishedAt: null },
        counts: { planned: 20, accepted: 0 },
        fault: { id: stopped.openFault?.id, code: 'HTTP_401' },
      },
      neverSent,
    ]);
    refuseRemovals(false);
    scene.sink.refusedRows.add('607');
    await scene.hub.ok('POST', `/faults/${stopped.openFault?.id}/resume`);
    await scene.cleanedUp(audienceId);
    const after = await removalOf(audienceId, scene.tenant.viewer);
    expect(after.body.connections).toMatchObject([
      tagEnd,
      {
        id: hook,
        status: 'removed',
        removal: { outcome: 'stays', stays: [expect.stringContaining('refused to take out 1 members')] },
        counts: { planned: 20, accepted: 19, rejected: 1, skipped: 0 },
        fault: null,
      },
      neverSent,
    ]);
    expect(after.body.finishedAt).toEqual(expect.any(String));
    const other = await makeTenant(scene.hub, 'Other');
    expect((await removalOf(audienceId, other.admin)).status).toBe(404);
    expect((await removalOf(audienceId + 1_000_000)).status).toBe(404);
  });

  it('says what stays where the output is deleted before its removal came to its end', async () => {
    const audienceId = await scene.audience('Cut off', 651, 660);
    const outputId = await scene.webhook();
    const hook = await scene.delivered(audienceId, outputId);
    refuseRemovals(true);
    await scene.hub.ok('DELETE', `/audiences/${audienceId}?confirm=true`);
    await scene.seen(hook, ({ openFault }) => openFault !== null);
    await scene.hub.ok('DELETE', `/outputs/${outputId}?force=true`);
    const lost = {
      connections: [
        {
          id: hook,
          status: 'removed',
          removal: { outcome: 'given_up', stays: [expect.stringContaining('output was deleted')] },
          fault: null,
        },
      ],
    };
    expect((await removalOf(audienceId)).body).toMatchObject(lost);
    await scene.cleanUp(audienceId);
    expect((await removalOf(audienceId)).body).toMatchObject({ ...lost, finishedAt: expect.any(String) });
  });
});

describe('people who are erased while what had them is being removed', () => {
  it('are forgotten only when they are out, which the receipt tells', async () => {
    const audienceId = await scene.audience('Erased', 501, 520);
    const hook = await scene.delivered(audienceId, await scene.webhook());
    refuseRemovals(true);
    await scene.hub.ok('DELETE', `/audiences/${audienceId}?confirm=true`);
    const stopped = await scene.seen(hook, ({ openFault }) => openFault !== null);
    const { workspaceId } = scene.tenant;
    const erasure = await scene.hub.ok<{ id: string }>('POST', '/erasures', { workspaceId, mpids: ['505'] });
    const receipts = async () => {
      const { receipts: all } = await scene.hub.ok<{
        receipts: { connectionId: string; state: string; reason: { code: string } | null }[];
      }>('GET', `/erasures/${erasure.id}`);
      return all.filter(({ connectionId }) => connectionId === hook);
    };
    await until('it waits', async () => (await receipts())[0]?.reason?.code === 'CONNECTION_FAULTED', 60_000);
    expect(await receipts()).toMatchObject([{ state: 'waiting' }]);
    refuseRemovals(false);
    await scene.hub.ok('POST', `/faults/${stopped.openFault?.id}/resume`);
    await until(
      'it is done',
      async () => (await scene.hub.ok('GET', `/erasures/${erasure.id}`)).state === 'done',
      60_000,
    );
    expect(await receipts()).toMatchObject([{ state: 'answered', sent: 1, accepted: 1, rejected: 0 }]);
    expect(scene.sink.members.size).toBe(0);
    await scene.cleanUp(audienceId);
  });
});
