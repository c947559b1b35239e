import { z } from 'zod';
import { type Batch, fault, type RejectedMember } from '../../src/kit/index.js';
import { type ApiContext, callExisting, MAX_ADDRESSES, read } from './api.js';
import { mergeFieldsOf, type SharingContext } from './merge-fields.js';

const contactError = z.object({
  email_address: z.string(),
  error: z.string(),
  error_code: z.string().optional(),
});
const listAnswer = z.object({
  errors: z.array(contactError).default([]),
});
const segmentAnswer = z.object({
  errors: z.array(z.object({ email_addresses: z.array(z.string()), error: z.string() })).default([]),
});

/** A refused address, and why. */
interface Refusal {
  code: string;
  message: string;
}
type Refusals = Map<string, Refusal>;
type EmailBatch = Batch<'email'>;
type ContactError = z.output<typeof contactError>;
type MergeFields = Awaited<ReturnType<typeof mergeFieldsOf>>;

/** Addresses of a batch, each once, in pieces that one call takes. */
function piecesOf(batch: EmailBatch): string[][] {
  const all = [...new Set(batch.members.flatMap(({ identities }) => identities.email ?? []))];
  return Array.from({ length: Math.ceil(all.length / MAX_ADDRESSES) }, (_, piece) =>
    all.slice(piece * MAX_ADDRESSES, (piece + 1) * MAX_ADDRESSES),
  );
}

/** Makes contacts of those the list does not know, and tags everybody. */
export async function addMembers(
  ctx: SharingContext,
  segmentId: string,
  batch: EmailBatch,
): Promise<RejectedMember[]> {
  const fields = await mergeFieldsOf(ctx, batch);
  const refusals: Refusals = new Map();
  const accepted = (addresses: readonly string[]) => addresses.filter((address) => !refusals.has(address));
  for (const addresses of piecesOf(batch)) {
    const there = await addContacts(ctx, addresses, fields, refusals);
    // Before the tag, which may set off an e-mail that shows them.
    await updateContacts(ctx, there, fields, refusals);
    const known = accepted(addresses);
    if (known.length > 0) await changeSegment(ctx, segmentId, { members_to_add: known }, refusals);
    // Only the tag tells who is in the list, where nobody may be added.
    if (ctx.settings.newContacts === 'none') await updateContacts(ctx, accepted(known), fields, refusals);
  }
  return rejectedOf(batch, refusals);
}

/** Takes the tag from everybody; contacts stay in the list. */
export async function removeMembers(
  ctx: ApiContext,
  segmentId: string,
  batch: EmailBatch,
): Promise<RejectedMember[]> {
  const refusals: Refusals = new Map();
  for (const addresses of piecesOf(batch)) {
    await changeSegment(ctx, segmentId, { members_to_remove: addresses }, refusals);
  }
  return rejectedOf(batch, refusals);
}

/** Existing contacts are left as they are: whoever unsubscribed stays so. Answers with those. */
async function addContacts(
  ctx: ApiContext,
  addresses: readonly string[],
  fields: MergeFields,
  refusals: Refusals,
): Promise<string[]> {
  const { newContacts } = ctx.settings;
  if (newContacts === 'none') return [];
  const members = addresses.map((address) => ({ ...contactOf(address, fields), status: newContacts }));
  const errors = await sendContacts(ctx, { members, update_existing: false });
  const isThere = ({ error_code: code }: ContactError) => code === 'ERROR_CONTACT_EXISTS';
  refuseAll(
    refusals,
    addresses,
    errors.filter((error) => !isThere(error)),
  );
  return errors
    .filter(isThere)
    .map(({ email_address: address }) => addressOf(addresses, address))
    .filter((address) => !refusals.has(address));
}

/** Gives contacts their merge fields. Without a status, which stays what it is. */
async function updateContacts(
  ctx: ApiContext,
  addresses: readonly string[],
  fields: MergeFields,
  refusals: Refusals,
): Promise<void> {
  const members = addresses.filter((address) => fields.has(address)).map((one) => contactOf(one, fields));
  if (members.length === 0) return;
  refuseAll(refusals, addresses, await sendContacts(ctx, { members, update_existing: true }));
}

function contactOf(address: string, fields: MergeFields): object {
  const own = fields.get(address);
  return { email_address: address, ...(own ? { merge_fields: own } : {}) };
}

async function sendContacts(ctx: ApiContext, body: object): Promise<ContactError[]> {
  return read(await callExisting(ctx, 'POST', '?skip_merge_validation=true', body), listAnswer).errors;
}

function refuseAll(refusals: Refusals, sent: readonly string[], errors: readonly ContactError[]): void {
  for (const { email_address: address, error, error_code: code } of errors) {
    refuse(refusals, sent, address, code ?? 'REFUSED', error);
  }
}

async function changeSegment(
  ctx: ApiContext,
  segmentId: string,
  change: { members_to_add: readonly string[] } | { members_to_remove: readonly string[] },
  refusals: Refusals,
): Promise<void> {
  const adding = 'members_to_add' in change;
  const sent = adding ? change.members_to_add : change.members_to_remove;
  const response = await callExisting(ctx, 'POST', `/segments/${encodeURIComponent(segmentId)}`, change);
  for (const { email_addresses: addresses, error } of read(response, segmentAnswer).errors) {
    for (const address of addresses) {
      refuse(refusals, sent, address, adding ? 'NOT_TAGGED' : 'NOT_UNTAGGED', error);
    }
  }
}

function refuse(
  refusals: Refusals,
  sent: readonly string[],
  told: string,
  code: string,
  message: string,
): void {
  refusals.set(addressOf(sent, told), { code, message: withoutAddresses(message) });
}

/** The address as it was sent; Mailchimp may spell it otherwise. */
function addressOf(sent: readonly string[], told: string): string {
  const address = sent.find((one) => one.toLowerCase() === told.trim().toLowerCase());
  if (address !== undefined) return address;
  // Nobody could be told apart; the same batch is sent again.
  throw fault.retryable('MALFORMED_RESPONSE', 'Mailchimp refused an address that was not in the request.');
}

/** A member counts as accepted where all its addresses were. */
function rejectedOf(batch: EmailBatch, refusals: Refusals): RejectedMember[] {
  return batch.members.flatMap(({ identities }, index) => {
    const refused = (identities.email ?? []).flatMap((address) => refusals.get(address) ?? []);
    const [first] = refused;
    return first ? [{ index, ...first }] : [];
  });
}

/** Mailchimp quotes what it refuses; people's addresses do not belong into an outcome. */
export function withoutAddresses(message: string): string {
  return message.replaceAll(/[^\s"'<>(),;]+@[^\s"'<>(),;]+/g, '…').slice(0, 500);
}
