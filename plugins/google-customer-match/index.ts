import { type Batch, type BatchResult, defineOutput } from '../../src/kit/index.js';
import { type GoogleContext, MAX_MEMBERS } from './api.js';
import { checkAccount } from './check.js';
import { grantOf } from './grant.js';
import { countReached, deleteList, explainRefusal, makeList, renameList } from './lists.js';
import { formsOf, type GoogleIdentity, type Operation, sendMembers } from './members.js';
import { connectionSettings, credentials, IDENTIFIERS, settings } from './settings.js';
import { askForUpload, firstLookMs, jobOf } from './uploads.js';

const DAY_MS = 86_400_000;

/** Members as a Customer Match list of a Google Ads or Display & Video 360 account. */
export const googleCustomerMatch = defineOutput({
  id: 'google-customer-match',
  name: 'Google Customer Match',
  description:
    'Keeps a Customer Match list of a Google account equal to an audience: Search, YouTube, Gmail, Display.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings,
  oauth2: grantOf,
  identities: formsOf(IDENTIFIERS),
  identitiesFor: ({ identifiers }) => formsOf(identifiers),
  limits: {
    batchSize: MAX_MEMBERS,
    // A Google Cloud project has 300 requests a minute and 100,000 a day: developers.google.com/data-manager/api/limits
    rateLimit: { requests: 300, perSeconds: 60 },
    // Google advises ten at most; a request of 10,000 members has megabytes.
    concurrency: 4,
    // Uploads take half an hour and more, each of them a look or two.
    jobs: 200,
  },
  naming: { maxLength: 255 },
  knownBy: () => 'identities',
  // Google counts whom it can reach, in estimates, and takes a day or two for it.
  counting: { of: 'matched', toleranceShare: 0.1, toleranceCount: 1000, lagMs: 2 * DAY_MS },
  expireAfterMs: (_, { membershipDays }) => membershipDays * DAY_MS,
  check: checkAccount,
  audience: {
    async create(ctx, { name, key = ctx.connectionId }) {
      return { externalId: await makeList(ctx, name, key) };
    },
    rename: renameList,
    add: (ctx, { externalId }, batch) => upload(ctx, 'ingest', externalId, batch),
    remove: (ctx, { externalId }, batch) => upload(ctx, 'remove', externalId, batch),
    poll: askForUpload,
    delete: (ctx, { externalId }) => deleteList(ctx, externalId),
    deleteTakesMembers: () => true,
    count: (ctx, { externalId }) => countReached(ctx, externalId),
  },
});

async function upload(
  ctx: GoogleContext,
  operation: Operation,
  listId: string,
  batch: Batch<GoogleIdentity>,
): Promise<BatchResult> {
  if (batch.size === 0) return { status: 'done', rejected: [] };
  try {
    const requests = await sendMembers(ctx, operation, listId, batch);
    const jobId = jobOf({ takenAtMs: ctx.now().getTime(), members: batch.size, requests });
    return { status: 'pending', jobId, pollAfterMs: firstLookMs(ctx) };
  } catch (error) {
    throw await explainRefusal(ctx, listId, error);
  }
}
