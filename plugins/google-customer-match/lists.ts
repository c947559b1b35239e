import { z } from 'zod';
import { fault, isConnectorError, LIST_GONE, type PartnerAudience } from '../../src/kit/index.js';
import { accountOf, type ApiContext, call, type GoogleContext, read } from './api.js';

/** int64 of the API, which its JSON has as text. */
const int64 = z.coerce.string().regex(/^\d{1,19}$/);

const userList = z.object({
  id: int64,
  integrationCode: z.string().optional(),
  readOnly: z.boolean().optional(),
  membershipStatus: z.string().optional(),
  accessReason: z.string().optional(),
  ingestedUserListInfo: z.looseObject({ uploadKeyTypes: z.array(z.string()).optional() }).optional(),
  sizeInfo: z
    .object({ displayNetworkMembersCount: int64.optional(), searchNetworkMembersCount: int64.optional() })
    .optional(),
});

/** A list as the API has it, as far as the plugin reads it. */
export type UserList = z.output<typeof userList>;

const userLists = z.object({
  userLists: z.array(userList).default([]),
  nextPageToken: z.string().optional(),
});

const DAY_SECONDS = 86_400;
/** Pages of a search that should have one list at most. */
const MAX_PAGES = 20;

/** The list of a connection: the one it made before, in a try that was cut off, or a new one. */
export async function makeList(ctx: GoogleContext, name: string, key: string): Promise<string> {
  const known = await findByKey(ctx, key);
  if (known !== undefined) return known;
  const { description, membershipDays } = ctx.connection;
  const body = { ...listOf(ctx, name, membershipDays), integrationCode: key };
  const sent = JSON.stringify(description === undefined ? body : { ...body, description });
  const path = `${accountOf(ctx)}/userLists`;
  return read(await onAccount(call(ctx, 'POST', path, sent)), userList).id;
}

/** Whether a list could be made, without making one. */
export async function validateList(ctx: ApiContext, name: string): Promise<void> {
  const path = `${accountOf(ctx)}/userLists?validateOnly=true`;
  await onAccount(call(ctx, 'POST', path, JSON.stringify(listOf(ctx, name, 1))));
}

/** A list that takes contact data of this account, if there is one among the first. */
export async function anyContactList(ctx: ApiContext): Promise<string | undefined> {
  const answer = read(
    await onAccount(call(ctx, 'GET', `${accountOf(ctx)}/userLists?pageSize=50`)),
    userLists,
  );
  const usable = answer.userLists.find(
    ({ readOnly, membershipStatus, accessReason, ingestedUserListInfo }) =>
      readOnly !== true &&
      membershipStatus !== 'CLOSED' &&
      (accessReason ?? 'OWNED') === 'OWNED' &&
      ingestedUserListInfo?.uploadKeyTypes?.includes('CONTACT_ID') === true,
  );
  return usable?.id;
}

export async function renameList(ctx: ApiContext, { externalId, name }: PartnerAudience): Promise<void> {
  const body = JSON.stringify({ name: nameOf(ctx, externalId), displayName: name });
  await call(ctx, 'PATCH', `${nameOf(ctx, externalId)}?updateMask=displayName`, body);
}

/** Deletes the list. One that is gone is deleted. */
export async function deleteList(ctx: ApiContext, externalId: string): Promise<void> {
  try {
    await call(ctx, 'DELETE', nameOf(ctx, externalId));
  } catch (error) {
    if (!isConnectorError(error) || error.code !== LIST_GONE) throw error;
  }
}

/** People whom Google can reach by the list, as it estimates for its largest network. */
export async function countReached(ctx: ApiContext, externalId: string): Promise<number> {
  const { sizeInfo } = read(await call(ctx, 'GET', nameOf(ctx, externalId)), userList);
  const counts = [sizeInfo?.displayNetworkMembersCount, sizeInfo?.searchNetworkMembersCount];
  const known = counts.flatMap((count) => (count === undefined ? [] : [Number(count)]));
  if (known.length > 0) return Math.max(...known);
  throw fault.retryable('COUNT_NOT_READY', 'Google has not estimated the size of the list yet.');
}

/**
 * What a refusal of members means for their list. Google answers alike where access is missing and where the list is,
 * so it is asked for the list.
 */
export async function explainRefusal(ctx: ApiContext, externalId: string, error: unknown): Promise<unknown> {
  if (!isConnectorError(error) || !DOUBTFUL.has(error.code)) return error;
  try {
    await call(ctx, 'GET', nameOf(ctx, externalId));
  } catch (found) {
    return isConnectorError(found) && found.code === LIST_GONE ? found : error;
  }
  // It is there: nothing of the list that Resume could make anew.
  return error.code === LIST_GONE ? fault.config('AUDIENCE_NOT_UPDATABLE', error.message) : error;
}

const DOUBTFUL: ReadonlySet<string> = new Set([LIST_GONE, 'PERMISSION_DENIED', 'AUDIENCE_NOT_UPDATABLE']);

function listOf({ settings }: ApiContext, displayName: string, membershipDays: number) {
  const dataSourceType = `DATA_SOURCE_TYPE_${settings.dataSource.toUpperCase()}`;
  return {
    displayName,
    membershipStatus: 'OPEN',
    membershipDuration: `${membershipDays * DAY_SECONDS}s`,
    ingestedUserListInfo: { uploadKeyTypes: ['CONTACT_ID'], contactIdInfo: { dataSourceType } },
  };
}

function nameOf(ctx: ApiContext, externalId: string): string {
  return `${accountOf(ctx)}/userLists/${encodeURIComponent(externalId)}`;
}

/** The list that carries the key of the connection as its code of another system. */
async function findByKey(ctx: ApiContext, key: string): Promise<string | undefined> {
  const filter = encodeURIComponent(`integration_code = "${key}"`);
  let page = '';
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const path = `${accountOf(ctx)}/userLists?pageSize=1000&filter=${filter}${page}`;
    const answer = read(await onAccount(call(ctx, 'GET', path)), userLists);
    const known = answer.userLists.find(({ integrationCode }) => integrationCode === key);
    if (known || !answer.nextPageToken) return known?.id;
    page = `&pageToken=${encodeURIComponent(answer.nextPageToken)}`;
  }
  return undefined;
}

/** What is missing where no list is named is the account. */
async function onAccount<T>(calling: Promise<T>): Promise<T> {
  try {
    return await calling;
  } catch (error) {
    if (!isConnectorError(error) || error.code !== LIST_GONE) throw error;
    throw fault.config(
      'AUDIENCE_MISSING',
      'Google knows no such account. Correct operatingAccountId and accountType.',
    );
  }
}
