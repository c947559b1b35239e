import { z } from 'zod';
import { type Batch, fault, isConnectorError } from '../../src/kit/index.js';
import { type ApiContext, callExisting, isNameTaken, read } from './api.js';

/** Characters of a merge tag, all of A-Z, 0-9 and the underscore. */
const MAX_TAG_LENGTH = 10;
/** Characters of the name that people see in Mailchimp. */
const MAX_NAME_LENGTH = 50;
/** Bytes of a text that Mailchimp keeps. */
const MAX_VALUE_BYTES = 255;
/** More than any list has: 30, of some plans 80. */
const MAX_FIELDS = 200;
/** Tags that mean something of Mailchimp's own in every e-mail. */
const RESERVED_TAGS =
  'EMAIL EMAIL_TYPE INTERESTS UNSUB FORWARD REWARDS ARCHIVE USER_URL DATE TO LIST SUBJECT'.split(' ');

const field = z.object({ tag: z.string(), name: z.string(), type: z.string() });
const fieldList = z.object({ merge_fields: z.array(field) });
type Field = z.output<typeof field>;
type Tags = ReadonlyMap<string, string>;

/** The context of a delivery, which knows the attributes that the connection shares. */
export type SharingContext = ApiContext & { attributes?: readonly string[] };

/** What keeps an attribute of this name from becoming a merge field; undefined where nothing does. */
export function attributeRefusal(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return `must not be longer than ${MAX_NAME_LENGTH} characters`;
  return plain(name) === '' ? 'must have a letter or a digit' : undefined;
}

/** The merge fields of each address of the batch; addresses without any are missing. */
export async function mergeFieldsOf(
  ctx: SharingContext,
  batch: Batch<'email'>,
): Promise<ReadonlyMap<string, Record<string, string>>> {
  const names = ctx.attributes ?? [];
  if (names.length === 0) return new Map();
  const tags = await tagsOf(ctx, names);
  const byAddress = new Map<string, Record<string, string>>();
  for (const { identities, attributes = {} } of batch.members) {
    const values = valuesOf(attributes, tags);
    if (Object.keys(values).length === 0) continue;
    for (const address of identities.email ?? []) {
      // Of two members with one address, the first one of the batch.
      if (!byAddress.has(address)) byAddress.set(address, values);
    }
  }
  return byAddress;
}

/** Mailchimp cuts longer texts short, and then they would say something else. */
function valuesOf(attributes: Readonly<Record<string, string>>, tags: Tags): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => {
      const tag = tags.get(name);
      return tag === undefined || Buffer.byteLength(value) > MAX_VALUE_BYTES ? [] : [[tag, value]];
    }),
  );
}

/** The merge tag of each attribute; fields that the list lacks are made. */
async function tagsOf(ctx: ApiContext, names: readonly string[]): Promise<Tags> {
  const there = await fieldsOf(ctx);
  const known = matched(names, there);
  const missing = names.filter((name) => !known.has(name));
  if (missing.length === 0) return known;
  const taken = new Set([...RESERVED_TAGS, ...there.map(({ tag }) => tag.toUpperCase())]);
  for (const name of missing) await makeField(ctx, name, freeTag(name, taken));
  const made = matched(names, await fieldsOf(ctx));
  if (names.every((name) => made.has(name))) return made;
  throw fault.retryable(
    'MERGE_FIELD_UNKNOWN',
    'Mailchimp does not list merge fields yet that were just made for attributes. They are looked for again.',
  );
}

async function fieldsOf(ctx: ApiContext): Promise<readonly Field[]> {
  const shown = 'merge_fields.tag,merge_fields.name,merge_fields.type';
  const response = await callExisting(ctx, 'GET', `/merge-fields?count=${MAX_FIELDS}&fields=${shown}`);
  return read(response, fieldList).merge_fields;
}

/**
 * Text fields with the name of an attribute, or else with a tag that is the whole name. Names come first, for all: a
 * tag that was cut short says little, and a field is for one attribute only.
 */
function matched(names: readonly string[], fields: readonly Field[]): Tags {
  const free = new Map(fields.filter(({ type }) => type === 'text').map((one) => [one.tag, one]));
  const tags = new Map<string, string>();
  const take = (name: string, fits: (one: Field) => boolean) => {
    const found = tags.has(name) ? undefined : [...free.values()].find(fits);
    if (!found) return;
    free.delete(found.tag);
    tags.set(name, found.tag);
  };
  for (const name of names) take(name, (one) => plain(one.name) === plain(name));
  for (const name of names) take(name, (one) => plain(one.tag) === plain(name));
  return tags;
}

/** What names have in common however they are spelt. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** A tag that says the name as well as it can, and that nothing else has; taken from now on. */
function freeTag(name: string, taken: Set<string>): string {
  const whole = name
    .normalize('NFD')
    .toUpperCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  const wanted = whole === '' ? 'FIELD' : whole;
  let tag = wanted.slice(0, MAX_TAG_LENGTH).replace(/_$/, '');
  for (let number = 2; taken.has(tag); number += 1) {
    tag = `${wanted.slice(0, MAX_TAG_LENGTH - String(number).length)}${number}`;
  }
  taken.add(tag);
  return tag;
}

/** Shown to nobody: forms for signing up do not ask for it. */
async function makeField(ctx: ApiContext, name: string, tag: string): Promise<void> {
  try {
    await callExisting(ctx, 'POST', '/merge-fields', { name, tag, type: 'text', public: false });
  } catch (error) {
    // Another batch was quicker; the list is read again in any case.
    if (isNameTaken(error)) return;
    if (!isConnectorError(error) || error.kind !== 'permanent') throw error;
    throw fault.config(
      'MERGE_FIELD_REFUSED',
      `Mailchimp makes no merge field ${tag} for an attribute. A list has at most 30 fields, of some plans 80: delete ` +
        'one in Mailchimp, or share fewer attributes, then resume.',
    );
  }
}
