import { afterEach, describe, expect, it } from '@jest/globals';
import { googleCustomerMatch as google } from './index.js';
import { invalid, refusal } from './testing/answers.js';
import { batchOf, listIn, member, members, sentIn, startGoogle, stopServers } from './testing/google-rig.js';

afterEach(stopServers);

describe('a list at Google', () => {
  it('makes the list once, with the days people stay in it, and finds the one that a try before it made', async () => {
    const { partner, ctx } = await startGoogle({}, {}, { description: 'Spring buyers', membershipDays: 90 });
    const key = 'connection-1';
    const first = await google.audience.create?.(ctx, { name: 'Spring', key });
    await expect(google.audience.create?.(ctx, { name: 'Spring', key })).resolves.toEqual(first);
    expect([...partner.lists.values()]).toMatchObject([
      {
        displayName: 'Spring',
        description: 'Spring buyers',
        integrationCode: key,
        membershipDuration: '7776000s',
        uploadKeyTypes: ['CONTACT_ID'],
      },
    ]);
    await expect(google.audience.create?.(ctx, { name: 'Spring', key: 'other' })).rejects.toMatchObject({
      kind: 'config',
      code: 'NAME_TAKEN',
    });
  });

  it('renames, counts and deletes the list, and is content with one that is gone', async () => {
    const { partner, ctx } = await startGoogle();
    const list = await listIn(ctx);
    await google.audience.add(ctx, list, batchOf(members(3)));
    await expect(google.audience.count?.(ctx, list)).resolves.toBe(3);
    await google.audience.rename?.(ctx, { ...list, name: 'Summer' });
    expect([...partner.lists.values()].map(({ displayName }) => displayName)).toEqual(['Summer']);
    await google.audience.delete?.(ctx, list);
    await google.audience.delete?.(ctx, list);
    expect(partner.lists.size).toBe(0);
  });

  it('tells a list that is gone from access that is missing, and from a list that takes no such data', async () => {
    const { partner, server, ctx } = await startGoogle();
    const list = await listIn(ctx);
    const adding = () => google.audience.add(ctx, list, batchOf([member(0)]));
    partner.refuse = (path) => (path.includes('audienceMembers') ? refusal('PERMISSION_DENIED') : undefined);
    await expect(adding()).rejects.toMatchObject({ kind: 'auth', code: 'PERMISSION_DENIED' });
    const noList = invalid({ field: 'destinations.destinations[0]', reason: 'INVALID_USER_LIST_ID' });
    partner.refuse = (path) => (path.includes('audienceMembers') ? noList : undefined);
    await expect(adding()).rejects.toMatchObject({ kind: 'config', code: 'AUDIENCE_NOT_UPDATABLE' });
    partner.refuse = undefined;
    partner.lists.clear();
    for (const answer of [undefined, noList, refusal('NOT_FOUND')]) {
      partner.refuse = (path) => (path.includes('audienceMembers') ? answer : undefined);
      await expect(adding()).rejects.toMatchObject({ kind: 'config', code: 'LIST_GONE' });
    }
    await expect(google.audience.rename?.(ctx, list)).rejects.toMatchObject({ code: 'LIST_GONE' });
    expect(server.requests.length).toBeGreaterThan(0);
  });

  it('has Google validate a list and an upload, and leaves nothing there', async () => {
    const { partner, requests, ctx } = await startGoogle();
    await expect(google.check(ctx)).resolves.toBeUndefined();
    expect([partner.lists.size, requests.length]).toEqual([0, 2]);
    const list = await listIn(ctx);
    await expect(google.check(ctx)).resolves.toBeUndefined();
    expect(sentIn(requests.at(-1)?.body ?? '')).toMatchObject({ validateOnly: true });
    expect([partner.uploads.length, partner.membersOf(list.externalId)]).toEqual([0, []]);
    const stranger = await startGoogle({}, { operatingAccountId: '5' });
    await expect(google.check(stranger.ctx)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    partner.refuse = () => refusal('NOT_FOUND');
    await expect(google.check(ctx)).rejects.toMatchObject({ kind: 'config', code: 'AUDIENCE_MISSING' });
  });
});
