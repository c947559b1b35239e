import type { Batch, IdentityForm } from '../../src/kit/index.js';
import { z } from 'zod';
import { type ApiContext, call, loginOf, MAX_IDENTIFIERS, MAX_MEMBERS, read } from './api.js';
import type { GoogleSettings, Identifier } from './settings.js';

export type GoogleIdentity = 'email' | 'phone' | 'first_last_zip_state';

export type Operation = 'ingest' | 'remove';

const PROFILE = 'google@2025-06';

const TYPES = {
  email: 'email',
  phone: 'phone',
  name: 'first_last_zip_state',
} as const satisfies Record<Identifier, GoogleIdentity>;

const CONSENT = { granted: 'CONSENT_GRANTED', denied: 'CONSENT_DENIED' } as const;

const taken = z.object({ requestId: z.string().min(1).max(1000) });

/** Identities that these settings send. */
export function formsOf(identifiers: readonly Identifier[]): IdentityForm<GoogleIdentity>[] {
  const types = Object.entries(TYPES).filter(([one]) => (identifiers as readonly string[]).includes(one));
  return types.map(([, type]) => ({ type, encoding: 'sha256', profile: PROFILE }));
}

/**
 * Sends everybody of a batch, and gives the ids of the requests: one, unless people have so many identifiers that they
 * are more than a request takes.
 */
export async function sendMembers(
  ctx: ApiContext,
  operation: Operation,
  listId: string,
  { members }: Pick<Batch<GoogleIdentity>, 'members'>,
): Promise<string[]> {
  const entries = members.flatMap(({ identities }) => entriesOf(identities));
  const requests: string[] = [];
  for (let start = 0; start < entries.length; start += MAX_MEMBERS) {
    const body = bodyOf(ctx, operation, listId, entries.slice(start, start + MAX_MEMBERS));
    requests.push(read(await call(ctx, 'POST', `audienceMembers:${operation}`, body), taken).requestId);
  }
  return requests;
}

/** Whether Google would take members into the list, with somebody invented. Nothing is kept. */
export async function validateUpload(ctx: ApiContext, listId: string, hash: string): Promise<void> {
  const entries = entriesOf({ email: [hash] });
  await call(ctx, 'POST', 'audienceMembers:ingest', bodyOf(ctx, 'ingest', listId, entries, true));
}

/**
 * A person as members of a request, in JSON: one, or several where there are more identifiers than one may have. All
 * values are hashes in hexadecimal digits, or ZIPs of digits, so that they are put together as texts.
 */
function entriesOf(identities: Batch<GoogleIdentity>['members'][number]['identities']): string[] {
  const { email = [], phone = [], first_last_zip_state: names = [] } = identities;
  const identifiers = [
    ...email.map((hash) => `{"emailAddress":"${hash}"}`),
    ...phone.map((hash) => `{"phoneNumber":"${hash}"}`),
    ...names.map((name) => addressOf(name)),
  ];
  const entries: string[] = [];
  for (let start = 0; start < identifiers.length; start += MAX_IDENTIFIERS) {
    const own = identifiers.slice(start, start + MAX_IDENTIFIERS).join(',');
    entries.push(`{"userData":{"userIdentifiers":[${own}]}}`);
  }
  return entries;
}

/** Hash of the first name, hash of the last name and ZIP, joined by `|`. States and ZIPs are those of the United States. */
function addressOf(name: string): string {
  const [given = '', family = '', zip = ''] = name.split('|');
  return `{"address":{"givenName":"${given}","familyName":"${family}","regionCode":"US","postalCode":"${zip}"}}`;
}

function bodyOf(
  ctx: ApiContext,
  operation: Operation,
  listId: string,
  entries: readonly string[],
  validateOnly = false,
): string {
  const rest = {
    destinations: [destinationOf(ctx, listId)],
    encoding: 'HEX',
    ...(operation === 'ingest' ? declarationsOf(ctx.settings) : {}),
    ...(validateOnly ? { validateOnly } : {}),
  };
  return `{"audienceMembers":[${entries.join(',')}],${JSON.stringify(rest).slice(1)}`;
}

function destinationOf(ctx: ApiContext, productDestinationId: string) {
  const { accountType, operatingAccountId: accountId } = ctx.settings;
  const loginAccount = loginOf(ctx);
  return {
    operatingAccount: { accountType, accountId },
    ...(loginAccount ? { loginAccount } : {}),
    productDestinationId,
  };
}

/** What is declared with every upload: the terms, and what the people consented to. Removals declare nothing. */
function declarationsOf({ adUserData, adPersonalization }: GoogleSettings) {
  const consent = {
    ...(adUserData === 'unspecified' ? {} : { adUserData: CONSENT[adUserData] }),
    ...(adPersonalization === 'unspecified' ? {} : { adPersonalization: CONSENT[adPersonalization] }),
  };
  return {
    ...(Object.keys(consent).length === 0 ? {} : { consent }),
    termsOfService: { customerMatchTermsOfServiceStatus: 'ACCEPTED' },
  };
}
