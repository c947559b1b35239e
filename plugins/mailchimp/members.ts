import { z } from 'zod';
import { type Batch, fault, type RejectedMember } from '../../src/kit/index.js';
import { type ApiContext, callExisting, MAX_ADDRESSES, read } from './api.js';

const listAnswer = z.object({
  errors: z
    .array(z.object({ email_address: z.string(), error: z.string(), error_code: z.string().optional() }))
    .default([]),
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

/** Addresses of a batch, each once, in pieces that one call takes. */
function piecesOf(batch: EmailBatch): string[][] {
  const all = [...new Set(batch.members.flatMap(({ identities }) => identities.email ?? []))];
  return Array.from({ length: Math.ceil(all.length / MAX_ADDRESSES) }, (_, piece) =>
    all.slice(piece * MAX_ADDRESSES, (piece + 1) * MAX_ADDRESSES),
  );
}

/** Makes contacts of those the list does not know, and tags everybody. */
export async function addMembers(
  ctx: ApiContext,
  segmentId: string,
  batch: EmailBatch,
): Promise<RejectedMember[]> {
  const refusals: Refusals = new Map();
  for (const addresses of piecesOf(batch)) {
    await addContacts(ctx, addresses, refusals);
    const known = addresses.filter((address) => !refusals.has(address));
    if (known.length > 0) await changeSegment(ctx, segmentId, { members_to_add: known }, refusals);
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

/** Existing contacts are left as they are: whoever unsubscribed stays so. */
async function addContacts(ctx: ApiContext, addresses: readonly string[], refusals: Refusals): Promise<void> {
  const { newContacts } = ctx.settings;
  if (newContacts === 'none') return;
  const members = addresses.map((address) => ({ email_address: address, status: newContacts }));
  const body = { members, update_existing: false };
  const response = await callExisting(ctx, 'POST', '?skip_merge_validation=true', body);
  for (const { email_address: address, error, error_code: code } of read(response, listAnswer).errors) {
    if (code !== 'ERROR_CONTACT_EXISTS') refuse(refusals, addresses, address, code ?? 'REFUSED', error);
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
  const address = sent.find((one) => one.toLowerCase() === told.trim().toLowerCase());
  if (address === undefined) {
    // Nobody could be told apart; the same batch is sent again.
    throw fault.retryable('MALFORMED_RESPONSE', 'Mailchimp refused an address that was not in the request.');
  }
  refusals.set(address, { code, message: withoutAddresses(message) });
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
