import { afterEach, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { batchFrom, type OutputMember } from '../../src/kit/index.js';
import { describeOutput, PartnerServer, testReach } from '../../src/kit/testing/index.js';
import { FakeMailchimp, type FakeMailchimpOptions, LIST_ID, problem } from './fake-mailchimp.js';
import { mailchimp } from './index.js';
import { withoutAddresses } from './members.js';

const address = (index: number) => `person-${index}@example.com`;
const member = (index: number): OutputMember<'email'> => ({
  mpid: String(1000 + index),
  identities: { email: [address(index)] },
});
const audience = { externalId: '5001', name: 'Spring' };
const batchOf = (members: OutputMember<'email'>[]) =>
  batchFrom({ id: 'b1', members, fromVersion: 0, toVersion: 1 });

describeOutput(mailchimp, {
  settings: (url) => ({ listId: LIST_ID, endpoint: url }),
  credentials: (canary) => ({ apiKey: `${canary}-us6` }),
  connection: {},
  member,
  http: {
    partner: () => new FakeMailchimp(),
    partnerRejecting: (indexes) => new FakeMailchimp({ refused: (_, index) => indexes.includes(index) }),
    // Everybody is sent twice, to the list and to the tag; the tag is what counts.
    membersIn: ({ url, body }) =>
      url.includes('/segments/') && body !== ''
        ? Object.values(JSON.parse(body) as Record<string, string[]>).flat().length
        : 0,
  },
});

describe('the Mailchimp output', () => {
  it('gives the tag another name and keeps its members, unless the connection names the tag', async () => {
    const { partner, ctx } = await rig({}, {});
    const created = await mailchimp.audience.create?.(ctx, { name: 'Spring' });
    const externalId = created?.externalId ?? '';
    await mailchimp.audience.add(ctx, { externalId, name: 'Spring' }, batchOf([member(0)]));
    for (let times = 0; times < 2; times += 1)
      await mailchimp.audience.rename?.(ctx, { externalId, name: 'Summer' });
    const segment = partner.segments.get(Number(externalId));
    expect([segment?.name, segment?.members.size]).toEqual(['Summer', 1]);
    expect(mailchimp.nameFor?.({ tag: 'vip' }, 'Summer')).toBe('vip');
    expect(mailchimp.nameFor?.({}, 'Summer')).toBe('Summer');
  });

  it('makes contacts of new people only: whoever unsubscribed stays so, and is tagged', async () => {
    const contacts = { [address(0)]: 'unsubscribed', [address(1)]: 'cleaned' };
    const { partner, ctx } = await rig({ contacts }, { newContacts: 'subscribed' });
    await mailchimp.audience.create?.(ctx, audience);
    await expect(
      mailchimp.audience.add(ctx, audience, batchOf([member(0), member(1), member(2)])),
    ).resolves.toEqual({ status: 'done', rejected: [] });
    expect(Object.fromEntries(partner.contacts)).toEqual({
      [address(0)]: 'unsubscribed',
      [address(1)]: 'cleaned',
      [address(2)]: 'subscribed',
    });
    expect(partner.state()).toEqual([[5001, 'Spring', [address(0), address(1), address(2)]]]);
  });

  it('adds nobody where it may not, and says who is not in the list', async () => {
    const { partner, requests, ctx } = await rig(
      { contacts: { [address(0)]: 'subscribed' } },
      { newContacts: 'none' },
    );
    await mailchimp.audience.create?.(ctx, audience);
    await expect(
      mailchimp.audience.add(ctx, audience, batchOf([member(0), member(1)])),
    ).resolves.toMatchObject({
      rejected: [{ index: 1, code: 'NOT_TAGGED', message: 'The email address … is not on this list.' }],
    });
    expect([...partner.contacts.keys()]).toEqual([address(0)]);
    expect(requests.filter(({ url }) => url.includes('skip_merge'))).toEqual([]);
  });

  it('names who was refused by index, with the code of Mailchimp and no address', async () => {
    const { ctx } = await rig({ refused: (one) => one === address(1) });
    await mailchimp.audience.create?.(ctx, audience);
    const many = { mpid: '7', identities: { email: [address(5), address(1)] } };
    await expect(
      mailchimp.audience.add(ctx, audience, batchOf([member(0), member(1), many])),
    ).resolves.toEqual({
      status: 'done',
      rejected: [1, 2].map((index) => ({
        index,
        code: 'ERROR_GENERIC',
        message: '… looks fake or invalid, please enter a real email address.',
      })),
    });
  });

  it('cuts addresses into calls of 500, each address once', async () => {
    const { partner, requests, ctx } = await rig({});
    await mailchimp.audience.create?.(ctx, audience);
    const members = Array.from({ length: 500 }, (_, index) => ({
      mpid: String(index),
      identities: { email: [address(index), address(index + 500), 'shared@example.com'] },
    }));
    await mailchimp.audience.add(ctx, audience, batchOf(members));
    expect(partner.contacts.size).toBe(1001);
    expect(requests.filter(({ url }) => url.includes('/segments/'))).toHaveLength(3);
    await expect(mailchimp.audience.count?.(ctx, audience)).resolves.toBe(1001);
  });

  it('takes the tag away and leaves the contacts', async () => {
    const { partner, ctx } = await rig({});
    await mailchimp.audience.create?.(ctx, audience);
    await mailchimp.audience.add(ctx, audience, batchOf([member(0), member(1)]));
    await mailchimp.audience.remove?.(ctx, audience, batchOf([member(0)]));
    expect(partner.state()).toEqual([[5001, 'Spring', [address(1)]]]);
    await mailchimp.audience.delete?.(ctx, audience);
    await mailchimp.audience.delete?.(ctx, audience);
    expect(partner.state()).toEqual([]);
    expect(partner.contacts.size).toBe(2);
  });

  it('finds the tag again that a try before it made, whole name against whole name', async () => {
    const { ctx } = await rig({});
    await mailchimp.audience.create?.(ctx, { name: 'Spring sale' });
    await expect(mailchimp.audience.create?.(ctx, { name: 'Spring' })).resolves.toEqual({
      externalId: '5002',
    });
    await expect(mailchimp.audience.create?.(ctx, { name: 'Spring' })).resolves.toEqual({
      externalId: '5002',
      found: true,
    });
    const named = { ...ctx, connection: { tag: 'Spring sale' } };
    await expect(mailchimp.audience.create?.(named, { name: 'X' })).resolves.toEqual({
      externalId: '5001',
      found: true,
    });
  });

  it('says what to do where a tag is taken that cannot be found', async () => {
    const { ctx } = await rig({ slowSearch: true });
    await mailchimp.audience.create?.(ctx, { name: 'Spring' });
    await expect(mailchimp.audience.create?.(ctx, { name: 'Spring' })).rejects.toMatchObject({
      kind: 'config',
      code: 'NAME_TAKEN',
    });
  });

  it('stops where list or tag are gone', async () => {
    const gone = { kind: 'config', code: 'LIST_GONE' };
    const { ctx } = await rig({});
    await expect(mailchimp.audience.remove?.(ctx, audience, batchOf([member(0)]))).rejects.toMatchObject(
      gone,
    );
    await expect(mailchimp.audience.count?.(ctx, audience)).rejects.toMatchObject(gone);
    const other = await rig({}, { listId: 'zzzzzzzzzz' });
    await expect(mailchimp.check(other.ctx)).rejects.toMatchObject({ ...gone, code: 'AUDIENCE_MISSING' });
  });

  it('speaks version 3.0 with the key as password', async () => {
    const { requests, ctx } = await rig({ apiKey: 'right-us6' });
    await mailchimp.check(ctx);
    expect(requests[0]).toMatchObject({
      method: 'GET',
      url: `/3.0/lists/${LIST_ID}?fields=id`,
      headers: { authorization: `Basic ${Buffer.from('hub:right-us6').toString('base64')}` },
    });
    const wrong = { ...ctx, credentials: { apiKey: 'wrong-us6' } };
    await expect(mailchimp.check(wrong)).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('API Key Invalid'),
    });
  });

  it('repeats the title of an error and not its detail, which quotes people', async () => {
    const { server, ctx } = await rig({});
    server.failure = () => problem(400, 'Invalid Resource', `${address(0)} has signed up to a lot of lists`);
    const error: unknown = await mailchimp.audience
      .add(ctx, audience, batchOf([member(0)]))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      kind: 'permanent',
      message: expect.stringContaining('(Invalid Resource)'),
    });
    expect(JSON.stringify(error) + String(error)).not.toContain('example.com');
  });

  it('does not guess whom an answer means', async () => {
    const { server, ctx } = await rig({});
    const errors = [{ email_address: 'somebody@example.com', error: 'no' }];
    server.failure = () => ({ status: 200, body: JSON.stringify({ errors }) });
    await expect(mailchimp.audience.add(ctx, audience, batchOf([member(0)]))).rejects.toMatchObject({
      kind: 'retryable',
      code: 'MALFORMED_RESPONSE',
    });
  });

  it.each([
    ['a@example.com is no good', '… is no good'],
    ['<a.b+c@example.com>, twice: "d@example.com"', '<…>, twice: "…"'],
    ['nobody is named', 'nobody is named'],
  ])('leaves no address in "%s"', (message, left) => {
    expect(withoutAddresses(message)).toBe(left);
  });

  it('sends the key to Mailchimp only', () => {
    const accepts = (endpoint: string) => mailchimp.settings.safeParse({ listId: LIST_ID, endpoint }).success;
    expect(accepts('https://us6.api.mailchimp.com')).toBe(true);
    for (const other of [
      'https://evil.example.com',
      'https://us6.api.mailchimp.com.example.com',
      'http://us6.api.mailchimp.com',
      'https://example.com/.api.mailchimp.com',
    ]) {
      expect(accepts(other)).toBe(false);
    }
    expect(mailchimp.credentials.safeParse({ apiKey: 'no-data-center' }).success).toBe(false);
    expect(mailchimp.credentials.safeParse({ apiKey: 'x-us6/@evil.example.com' }).success).toBe(false);
  });
});

const servers: PartnerServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function rig(
  options: FakeMailchimpOptions,
  settings: Partial<z.input<typeof mailchimp.settings>> = {},
) {
  const partner = new FakeMailchimp(options);
  const server = await PartnerServer.start(partner);
  servers.push(server);
  const ctx: Parameters<typeof mailchimp.audience.add>[0] = {
    settings: mailchimp.settings.parse({ listId: LIST_ID, endpoint: server.url, ...settings }),
    credentials: { apiKey: options.apiKey ?? 'secret-us6' },
    connection: {},
    ...testReach(),
  };
  return { partner, server, requests: server.requests, ctx };
}
