import { z } from 'zod';
import { type Batch, type BatchResult, defineOutput } from '../../src/kit/index.js';
import { type ApiContext, call, callExisting, isNameTaken, MAX_ADDRESSES, read } from './api.js';
import { addMembers, removeMembers } from './members.js';
import { attributeRefusal } from './merge-fields.js';
import { connectionSettings, credentials, settings } from './settings.js';

const NAME_LIMIT = 100;
const HOUR_MS = 3_600_000;
/** Everybody who has the tag, not only those who may be mailed. */
const COUNTED =
  'fields=id,member_count&include_cleaned=true&include_transactional=true&include_unsubscribed=true';
const segment = z.object({ id: z.int(), member_count: z.int().optional() });
const foundTags = z.object({ tags: z.array(z.object({ id: z.int(), name: z.string() })) });
const list = z.object({ id: z.string() });

/** Members as contacts of a Mailchimp audience, marked by a tag (a static segment, in the words of the API). */
export const mailchimp = defineOutput({
  id: 'mailchimp',
  name: 'Mailchimp',
  description: 'Tags the members of an audience in a Mailchimp list, and adds those it does not know.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings,
  identities: [{ type: 'email', encoding: 'raw' }],
  attributes: 'optional',
  attributeProblem: attributeRefusal,
  // A key may have ten requests under way, and is often shared with other programs.
  limits: { batchSize: MAX_ADDRESSES, concurrency: 2 },
  naming: { maxLength: NAME_LIMIT },
  nameFor: ({ tag }, name) => tag ?? name,
  leaves: ({ newContacts }) =>
    newContacts === 'none'
      ? 'Merge fields keep the attributes that were shared.'
      : 'Contacts that were added to the list stay there, without the tag; merge fields keep the attributes that were shared.',
  knownBy: () => 'identities',
  counting: { of: 'identities', lagMs: HOUR_MS },
  async check(ctx) {
    read(await callExisting(ctx, 'GET', '?fields=id'), list);
  },
  audience: {
    async create(ctx, { name }) {
      const tag = ctx.connection.tag ?? name;
      const known = await idOfTag(ctx, tag);
      if (known !== undefined) return { externalId: String(known), found: true };
      return makeTag(ctx, tag);
    },
    /** Without `static_segment`, which would reset the members. */
    async rename(ctx, { externalId, name }) {
      const change = { name: ctx.connection.tag ?? name };
      read(await callExisting(ctx, 'PATCH', `/segments/${encodeURIComponent(externalId)}`, change), segment);
    },
    add: (ctx, { externalId }, batch) => changed(batch, () => addMembers(ctx, externalId, batch)),
    remove: (ctx, { externalId }, batch) => changed(batch, () => removeMembers(ctx, externalId, batch)),
    deleteTakesMembers: () => true,
    /** The tag goes; contacts stay in the list. */
    async delete(ctx, { externalId }) {
      await call(ctx, 'DELETE', `/segments/${encodeURIComponent(externalId)}`);
    },
    async count(ctx, { externalId }) {
      const path = `/segments/${encodeURIComponent(externalId)}?${COUNTED}`;
      return read(await callExisting(ctx, 'GET', path), segment).member_count;
    },
  },
});

/** A tag of this very name that is there already, such as from a try that was cut off. */
async function idOfTag(ctx: ApiContext, tag: string): Promise<number | undefined> {
  const response = await callExisting(ctx, 'GET', `/tag-search?name=${encodeURIComponent(tag)}`);
  return read(response, foundTags).tags.find(({ name }) => name === tag)?.id;
}

async function makeTag(ctx: ApiContext, tag: string): Promise<{ externalId: string; found?: true }> {
  try {
    const response = await callExisting(ctx, 'POST', '/segments', { name: tag, static_segment: [] });
    return { externalId: String(read(response, segment).id) };
  } catch (error) {
    // The search finds new tags only after a moment.
    const id = isNameTaken(error) ? await idOfTag(ctx, tag) : undefined;
    if (id === undefined) throw error;
    return { externalId: String(id), found: true };
  }
}

async function changed(
  batch: Batch<'email'>,
  change: () => ReturnType<typeof addMembers>,
): Promise<BatchResult> {
  if (batch.members.length === 0) return { status: 'done', rejected: [] };
  return { status: 'done', rejected: await change() };
}
