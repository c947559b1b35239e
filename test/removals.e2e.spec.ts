import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RemovalScene } from './support/removal-scene.js';
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

const remove = (id: string, query = '') =>
  scene.hub.ok<Awaited<ReturnType<RemovalScene['get']>>>('DELETE', `/connections/${id}${query}`);
/** The receiver refuses every removal until this is called with false. */
const refuseRemovals = (refuse: boolean) => {
  scene.sink.failure = (_, event) =>
    refuse && (scene.sink.batches.at(-1)?.operation === 'remove' || event === 'audience.deleted')
      ? { status: 401 }
      : undefined;
};
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('deleting a connection', () => {
  it('takes everybody out at the partner, deletes the list there, and can be followed to its end', async () => {
    const audienceId = await scene.audience('Spring', 1, 35);
    const outputId = await scene.webhook();
    const id = await scene.delivered(audienceId, outputId);
    expect(scene.sink.members.size).toBe(35);
    expect(await remove(id)).toMatchObject({
      status: 'removing',
      removal: { members: 'removed', list: 'deleted', stays: [], outcome: null, since: expect.any(String) },
    });
    const ended = await scene.removed(id);
    expect(ended).toMatchObject({
      removal: { outcome: 'removed', stays: [], finishedAt: expect.any(String) },
      lastDelivery: { state: 'delivered', planned: 35, accepted: 35 },
      openFault: null,
    });
    expect([scene.sink.members.size, scene.sink.deleted.at(-1)]).toEqual([0, 'Spring']);

    const listed = await scene.hub.ok<List<object>>('GET', `/audiences/${audienceId}/connections`);
    expect(listed.total).toBe(0);
    const all = await scene.hub.ok<List<object>>('GET', `/connections?outputId=${outputId}`);
    const gone = await scene.hub.ok<List<object>>('GET', `/connections?outputId=${outputId}&status=removed`);
    expect([all.total, gone.items]).toEqual([0, [expect.objectContaining({ id })]]);
    const deliveries = await scene.hub.ok<List<object>>('GET', `/connections/${id}/deliveries`);
    expect(deliveries.items).toMatchObject([{ kind: 'removal' }, { kind: 'changes' }]);
    const audit = await scene.hub.ok<List<{ action: string }>>('GET', `/audit?objectId=${id}`);
    expect(audit.items.map(({ action }) => action)).toEqual([
      'connection.removed',
      'connection.delete',
      'connection.create',
    ]);
    expect(await scene.hub.ok('GET', `/audiences/${audienceId}`)).toMatchObject({
      connectedOutputs: { count: 0 },
    });
    // The same again changes nothing, and the audience can be connected anew.
    expect(await remove(id)).toMatchObject({ status: 'removed', removal: { outcome: 'removed' } });
    await scene.delivered(audienceId, outputId);
    expect(scene.sink.members.size).toBe(35);
  });

  it('takes out whom a delivery that was under way had sent as well', async () => {
    const audienceId = await scene.audience('Under way', 1, 40);
    let arrived = 0;
    let hold = true;
    // The third batch is taken, and its answer is long in coming.
    scene.sink.failure = (batch, event) => {
      if (event !== 'audience.members' || batch !== 3 || !hold) return undefined;
      arrived += 1;
      return 'lost answer';
    };
    const id = await scene.connect(audienceId, await scene.webhook());
    await until('some were sent', () => arrived > 0);
    const answer = await remove(id);
    hold = false;
    expect(answer.status).toBe('removing');
    const { removal } = await scene.removed(id);
    expect(removal).toMatchObject({ outcome: 'removed', members: 'removed' });
    expect(scene.sink.members.size).toBe(0);
    // Who had not been sent yet is taken out too: it cannot be told.
    scene.sink.doubled.length = 0;
  });

  it('stops at a fault like any delivery, and goes on after Resume', async () => {
    const id = await scene.delivered(await scene.audience('Refused', 1, 25), await scene.webhook());
    refuseRemovals(true);
    await remove(id);
    const stopped = await scene.seen(id, ({ openFault }) => openFault !== null);
    expect(stopped).toMatchObject({
      status: 'removing',
      openFault: { code: 'HTTP_401' },
      lastDelivery: { state: 'faulted' },
    });
    expect(scene.sink.members.size).toBe(25);
    refuseRemovals(false);
    await scene.hub.ok('POST', `/faults/${stopped.openFault?.id}/resume`);
    expect(await scene.removed(id)).toMatchObject({ openFault: null, removal: { outcome: 'removed' } });
    expect(scene.sink.members.size).toBe(0);
  });

  it('says whom the partner refused to take out', async () => {
    const id = await scene.delivered(await scene.audience('Stubborn', 1, 20), await scene.webhook());
    scene.sink.refusedRows.add('7');
    await remove(id);
    const { removal, lastDelivery } = await scene.removed(id);
    expect(removal).toMatchObject({
      outcome: 'stays',
      stays: [expect.stringContaining('take out 1 members')],
    });
    expect(lastDelivery).toMatchObject({ accepted: 19, rejected: 1 });
    const outcomes = await scene.hub.ok<List<object>>('GET', `/deliveries/${lastDelivery?.id}/outcomes`);
    expect(outcomes.items).toMatchObject([{ mpid: '7', operation: 'remove', code: 'UNKNOWN_PERSON' }]);
    expect([...scene.sink.members]).toEqual(['7']);
  });

  it('is given up by an admin only, and then says what stays', async () => {
    const id = await scene.delivered(await scene.audience('Forgotten', 1, 15), await scene.webhook());
    refuseRemovals(true);
    await remove(id);
    await scene.seen(id, ({ openFault }) => openFault !== null);
    const { editor, admin } = scene.tenant;
    const refused = await scene.hub.api('DELETE', `/connections/${id}?force=true`, undefined, editor);
    expect(refused).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    const given = await scene.hub.ok('DELETE', `/connections/${id}?force=true`, undefined, admin);
    expect(given).toMatchObject({
      status: 'removed',
      openFault: null,
      removal: { outcome: 'given_up', stays: [expect.stringContaining('gave up')] },
    });
    refuseRemovals(false);
    expect(scene.sink.members.size).toBe(15);
    const audit = await scene.hub.ok<List<object>>('GET', `/audit?objectId=${id}&action=connection.removed`);
    expect(audit.items).toMatchObject([{ changes: { outcome: { to: 'given_up' } } }]);
  });

  it('refuses everything else while it lasts', async () => {
    const audienceId = await scene.audience('Refusing', 1, 10);
    const outputId = await scene.webhook();
    const id = await scene.delivered(audienceId, outputId);
    refuseRemovals(true);
    await remove(id);
    await scene.seen(id, ({ openFault }) => openFault !== null);
    const wrong = { status: 409, body: { code: 'WRONG_STATE' } };
    const { hub } = scene;
    expect(await hub.api('PATCH', `/connections/${id}`, { status: 'active' })).toMatchObject(wrong);
    expect(await hub.api('PATCH', `/connections/${id}`, { settings: {} })).toMatchObject(wrong);
    expect(await hub.api('POST', `/connections/${id}/plan`)).toMatchObject(wrong);
    const planId = scene.tenant.workspaceId;
    expect(await hub.api('POST', `/connections/${id}/plan/apply`, { planId })).toMatchObject(wrong);
    const body = { outputId, status: 'active' };
    const again = await hub.api('POST', `/audiences/${audienceId}/connections`, body);
    expect(again).toMatchObject({ status: 409, body: { code: 'ALREADY_EXISTS' } });
    expect(again.body.detail).toContain('is being removed');
    const bulk = { ...body, audienceIds: [audienceId] };
    expect(await hub.ok('POST', '/connections/bulk', bulk)).toMatchObject({
      connected: [],
      failed: [{ audienceId, code: 'ALREADY_EXISTS' }],
    });
    expect(await hub.api('DELETE', `/outputs/${outputId}`)).toMatchObject({
      status: 409,
      body: { code: 'IN_USE' },
    });
    // Again the same, not an error.
    expect(await remove(id)).toMatchObject({ status: 'removing' });
    refuseRemovals(false);
    await hub.ok('POST', `/faults/${(await scene.get(id)).openFault?.id}/resume`);
    await scene.removed(id);
  });
});

describe('a list at a partner', () => {
  it('that the hub made goes as a whole, and what stays is said', async () => {
    const id = await scene.delivered(await scene.audience('Tagged', 101, 120), await scene.mailchimpOutput());
    expect(scene.tagged('Tagged')).toEqual(range(101, 120));
    const requests = scene.mailchimp.contacts.size;
    expect(await remove(id)).toMatchObject({
      removal: {
        members: 'with_list',
        list: 'deleted',
        stays: [
          'Contacts that were added to the list stay there, without the tag; merge fields keep the attributes that were shared.',
        ],
      },
    });
    expect(await scene.removed(id)).toMatchObject({ removal: { outcome: 'removed' } });
    expect(scene.tagged('Tagged')).toBeUndefined();
    expect(scene.mailchimp.contacts.size).toBe(requests);
  });

  it('that was there before keeps whom others put in', async () => {
    scene.mailchimp.segments.set(9001, { name: 'Theirs', members: new Set(['p999@example.com']) });
    const id = await scene.delivered(await scene.audience('Theirs', 121, 130), await scene.mailchimpOutput());
    expect(scene.tagged('Theirs')).toEqual([...range(121, 130), 999]);
    expect(await remove(id)).toMatchObject({
      removal: { members: 'removed', list: 'kept', because: 'list_not_ours' },
    });
    await scene.removed(id);
    expect(scene.tagged('Theirs')).toEqual([999]);
  });

  it('that somebody deleted there meanwhile is no fault', async () => {
    const id = await scene.delivered(
      await scene.audience('Vanished', 131, 140),
      await scene.mailchimpOutput(),
    );
    for (const [tag, { name }] of scene.mailchimp.segments)
      if (name === 'Vanished') scene.mailchimp.segments.delete(tag);
    await remove(id);
    expect(await scene.removed(id)).toMatchObject({ removal: { outcome: 'removed' }, openFault: null });
  });

  it('that two connections share keeps those whom the other one has there', async () => {
    const [one, other] = [await scene.audience('One', 201, 230), await scene.audience('Other', 221, 250)];
    const outputId = await scene.mailchimpOutput();
    const settings = { tag: 'Shared' };
    const first = await scene.delivered(one, outputId, { settings });
    const second = await scene.delivered(other, outputId, { settings });
    expect(scene.tagged('Shared')).toEqual(range(201, 250));
    expect(await remove(first)).toMatchObject({
      removal: { members: 'removed', list: 'kept', because: 'list_shared', sharedWith: [second] },
    });
    expect(await scene.removed(first)).toMatchObject({ lastDelivery: { planned: 20, accepted: 20 } });
    expect(scene.tagged('Shared')).toEqual(range(221, 250));
    // The last one takes the rest out; the tag was made for the first, so it was found by this one.
    expect(await remove(second)).toMatchObject({ removal: { members: 'removed', because: 'list_not_ours' } });
    await scene.removed(second);
    expect(scene.tagged('Shared')).toEqual([]);
  });

  it('that two connections share keeps who leaves one of them, as the plan says, until the other drops them', async () => {
    const [one, other] = [await scene.audience('Left', 301, 330), await scene.audience('Kept', 321, 340)];
    const outputId = await scene.mailchimpOutput();
    const settings = { tag: 'Kept in common' };
    const first = await scene.delivered(one, outputId, { settings });
    const second = await scene.delivered(other, outputId, { settings });
    await scene.hub.ok('PATCH', `/connections/${first}`, { status: 'inactive' });
    await scene.leave(one, 311, 330);
    const plan = await scene.hub.ok<{ id: string }>('POST', `/connections/${first}/plan`);
    expect(plan).toMatchObject({
      members: 20,
      skipped: 10,
      requests: 1,
      operations: [
        { operation: 'add', members: 0 },
        { operation: 'remove', members: 20, skipped: [{ code: 'SHARED_LIST', members: 10 }] },
      ],
    });
    await scene.hub.ok('POST', `/connections/${first}/plan/apply`, { planId: plan.id });
    const counts = { planned: 20, accepted: 10, rejected: 0, skipped: 10 };
    const { lastDelivery } = await scene.seen(first, ({ deliveredVersion }) => deliveredVersion === 2);
    expect(lastDelivery).toMatchObject(counts);
    expect(scene.tagged('Kept in common')).toEqual([...range(301, 310), ...range(321, 340)]);
    await scene.leave(other, 321, 335);
    await scene.seen(second, ({ deliveredVersion }) => deliveredVersion === 2);
    expect(scene.tagged('Kept in common')).toEqual([...range(301, 310), ...range(336, 340)]);
  });
});
