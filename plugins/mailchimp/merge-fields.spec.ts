import { afterEach, describe, expect, it } from '@jest/globals';
import { batchFrom, type OutputMember } from '../../src/kit/index.js';
import { PartnerServer, testReach } from '../../src/kit/testing/index.js';
import { FakeMailchimp, type FakeMailchimpOptions, LIST_ID } from './fake-mailchimp.js';
import { USUAL_FIELDS } from './fake-merge-fields.js';
import { mailchimp } from './index.js';

const audience = { externalId: '5001', name: 'Spring' };
const ann = 'ann@example.com';
const bob = 'bob@example.com';
const memberOf = (email: string, attributes: Record<string, string> = {}): OutputMember<'email'> => ({
  mpid: email.slice(0, 1),
  identities: { email: [email] },
  attributes,
});
const batchOf = (...members: OutputMember<'email'>[]) =>
  batchFrom({ id: 'b1', members, fromVersion: 0, toVersion: 1 });

describe('the merge fields of the Mailchimp output', () => {
  it('are made of the attributes that the list has none for, and hold the values of new people', async () => {
    const { partner, ctx } = await rig({}, ['Party', 'first_name', 'Favourite colour', 'Favourite coat']);
    const attributes = {
      Party: 'Green',
      first_name: 'Ann',
      'Favourite colour': 'red',
      'Favourite coat': 'blue',
    };
    await expect(mailchimp.audience.add(ctx, audience, batchOf(memberOf(ann, attributes)))).resolves.toEqual({
      status: 'done',
      rejected: [],
    });
    expect(partner.merge.fields.slice(USUAL_FIELDS.length)).toEqual([
      { tag: 'PARTY', name: 'Party', type: 'text' },
      { tag: 'FAVOURITE', name: 'Favourite colour', type: 'text' },
      { tag: 'FAVOURITE2', name: 'Favourite coat', type: 'text' },
    ]);
    const values = { PARTY: 'Green', FNAME: 'Ann', FAVOURITE: 'red', FAVOURITE2: 'blue' };
    expect(partner.merge.values.get(ann)).toEqual(values);
    // Another order, and fields that are there by now.
    const later = { ...ctx, attributes: ['Favourite coat', 'Party', 'Favourite colour'] };
    await mailchimp.audience.add(later, audience, batchOf(memberOf(bob, { 'Favourite coat': 'grey' })));
    expect(partner.merge.values.get(bob)).toEqual({ FAVOURITE2: 'grey' });
    expect(partner.merge.fields).toHaveLength(USUAL_FIELDS.length + 3);
  });

  it('are written of contacts that are there, who keep their status, before the tag is set', async () => {
    const contacts = { [ann]: 'unsubscribed' };
    const { partner, requests, ctx } = await rig({ contacts }, ['Party'], { newContacts: 'subscribed' });
    const batch = batchOf(memberOf(ann, { Party: 'Green' }), memberOf(bob));
    await mailchimp.audience.add(ctx, audience, batch);
    expect(Object.fromEntries(partner.contacts)).toEqual({ [ann]: 'unsubscribed', [bob]: 'subscribed' });
    expect(Object.fromEntries(partner.merge.values)).toEqual({ [ann]: { PARTY: 'Green' }, [bob]: {} });
    expect(requests.at(-1)?.url).toContain('/segments/');
    await mailchimp.audience.add(ctx, audience, batchOf(memberOf(ann, { Party: 'Blue' })));
    expect(partner.merge.values.get(ann)).toEqual({ PARTY: 'Blue' });
  });

  it('make nobody a contact where nobody may be added', async () => {
    const { partner, ctx } = await rig({ contacts: { [ann]: 'subscribed' } }, ['Party'], {
      newContacts: 'none',
    });
    const batch = batchOf(memberOf(ann, { Party: 'Green' }), memberOf(bob, { Party: 'Red' }));
    await expect(mailchimp.audience.add(ctx, audience, batch)).resolves.toMatchObject({
      rejected: [{ index: 1, code: 'NOT_TAGGED' }],
    });
    expect([...partner.contacts.keys()]).toEqual([ann]);
    expect(Object.fromEntries(partner.merge.values)).toEqual({ [ann]: { PARTY: 'Green' } });
  });

  it('never take a tag that means something else, nor a field that holds no text', async () => {
    const names = ['Date', 'Address', 'Größe', '年齢', 'Party'];
    const { partner, ctx } = await rig({ fields: [...USUAL_FIELDS, field('PARTY', 'Guests')] }, names);
    const attributes = Object.fromEntries(names.map((name) => [name, `of ${name}`]));
    await mailchimp.audience.add(ctx, audience, batchOf(memberOf(ann, attributes)));
    expect(partner.merge.values.get(ann)).toEqual({
      DATE2: 'of Date',
      ADDRESS2: 'of Address',
      GROSSE: 'of Größe',
      FIELD: 'of 年齢',
      // The tag is the whole name, so it is the field that people mean.
      PARTY: 'of Party',
    });
  });

  it('leave out values that Mailchimp would cut', async () => {
    const { partner, ctx } = await rig({}, ['Party', 'Note']);
    const attributes = { Party: 'é'.repeat(128), Note: 'é'.repeat(127) };
    await mailchimp.audience.add(ctx, audience, batchOf(memberOf(ann, attributes)));
    expect(partner.merge.values.get(ann)).toEqual({ NOTE: 'é'.repeat(127) });
  });

  it('are those of the first member where two have one address', async () => {
    const { partner, ctx } = await rig({}, ['Party']);
    const batch = batchOf(memberOf(ann, { Party: 'Green' }), memberOf(ann, { Party: 'Red' }));
    await mailchimp.audience.add(ctx, audience, batch);
    expect(partner.merge.values.get(ann)).toEqual({ PARTY: 'Green' });
  });

  it('that a list has no room for are a fault of the settings, and nobody is sent without', async () => {
    const { partner, ctx } = await rig({ maxFields: 5 }, ['Party', 'Hobby']);
    await expect(
      mailchimp.audience.add(ctx, audience, batchOf(memberOf(ann, { Party: 'Green' }))),
    ).rejects.toMatchObject({ kind: 'config', code: 'MERGE_FIELD_REFUSED' });
    expect(partner.contacts.size).toBe(0);
  });

  it('are made once by two batches at once', async () => {
    const { partner, ctx } = await rig({}, ['Party']);
    await Promise.all(
      [ann, bob].map((email) =>
        mailchimp.audience.add(ctx, audience, batchOf(memberOf(email, { Party: '1' }))),
      ),
    );
    expect(partner.merge.fields).toHaveLength(USUAL_FIELDS.length + 1);
    expect([...partner.merge.values.values()]).toEqual([{ PARTY: '1' }, { PARTY: '1' }]);
  });

  it('are not asked for where no attributes are shared, nor when members leave', async () => {
    const { requests, ctx } = await rig({}, []);
    await mailchimp.audience.add(ctx, audience, batchOf(memberOf(ann)));
    await mailchimp.audience.remove?.({ ...ctx, attributes: ['Party'] }, audience, batchOf(memberOf(ann)));
    expect(requests.filter(({ url, body }) => `${url}${body}`.includes('merge'))).toEqual([
      expect.objectContaining({ url: expect.stringContaining('skip_merge_validation') }),
    ]);
  });

  it('have names that Mailchimp can show', () => {
    const problem = (name: string) =>
      mailchimp.attributeProblem?.(name, settingsAt('https://us6.api.mailchimp.com'));
    expect(problem('Shoe Size')).toBeUndefined();
    expect(problem('x'.repeat(50))).toBeUndefined();
    expect(problem('x'.repeat(51))).toContain('50 characters');
    expect(problem('—')).toContain('a letter or a digit');
  });
});

const field = (tag: string, name: string) => ({ tag, name, type: 'text' });
const settingsAt = (endpoint: string, more: object = {}) =>
  mailchimp.settings.parse({ listId: LIST_ID, endpoint, ...more });

const servers: PartnerServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function rig(options: FakeMailchimpOptions, attributes: readonly string[], settings: object = {}) {
  const partner = new FakeMailchimp(options);
  const server = await PartnerServer.start(partner);
  servers.push(server);
  const ctx: Parameters<typeof mailchimp.audience.add>[0] = {
    settings: settingsAt(server.url, settings),
    credentials: { apiKey: 'secret-us6' },
    connection: {},
    attributes,
    ...testReach(),
  };
  await mailchimp.audience.create?.(ctx, audience);
  return { partner, requests: server.requests, ctx };
}
