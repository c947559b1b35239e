import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  type Batch,
  type BatchResult,
  type Context,
  defineOutput,
  fault,
  type HttpResponse,
  type PartnerAudience,
} from '../../src/kit/index.js';
import { membershipResponse, read, registrationResponse, subscriptionResponse } from './answers.js';
import { assertFits } from './check.js';
import { ALL_FORMS, type FirehoseIdentity, kindsOf } from './identities.js';
import {
  externalIdOf,
  type FirehoseContext,
  membershipRequest,
  newAudienceId,
  registrationRequest,
  subscriptionOf,
  subscriptionRequest,
} from './messages.js';
import { connectionSettings, credentials, DEFAULT_BATCH_SIZE, settings } from './settings.js';

const zip = promisify(gzip);
const DAY_MS = 86_400_000;

/** The messages of mParticle's Firehose, so that an endpoint made for it works with the hub. */
export const firehose = defineOutput({
  id: 'firehose',
  name: 'Firehose',
  description: 'Sends audiences to an endpoint that was made for mParticle’s Firehose.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings,
  identities: ALL_FORMS,
  identitiesFor: (given) => kindsOf(given).flatMap(({ forms }) => forms),
  attributes: 'optional',
  limits: { batchSize: DEFAULT_BATCH_SIZE },
  limitsFor: ({ batchSize, concurrency }) => ({ batchSize, concurrency }),
  knownBy: ({ sendMpid }) => (sendMpid ? 'mpid' : 'identities'),
  expireAfterMs: ({ expireAfterDays: days }) => (days === undefined ? undefined : days * DAY_MS),
  async check(ctx) {
    assertFits(ctx, read(await post(ctx, registrationRequest(ctx)), registrationResponse));
  },
  audience: {
    async create(ctx, { name }) {
      const audienceId = newAudienceId(ctx);
      const request = subscriptionRequest(ctx, 'add', name, { audienceId, settings: {} });
      const answer = read(await post(ctx, request), subscriptionResponse);
      // What the receiver sets itself comes back to it with every change.
      const own = answer.audience_subscription_settings ?? {};
      const externalId = externalIdOf({ audienceId, settings: own });
      // An id that somebody chose may be of a subscription that was there.
      return { externalId, ...(ctx.connection.audienceId === undefined ? {} : { found: true }) };
    },
    async rename(ctx, { name, externalId }) {
      const request = subscriptionRequest(ctx, 'update', name, subscriptionOf(externalId));
      read(await post(ctx, request), subscriptionResponse);
    },
    add: (ctx, audience, batch) => change(ctx, 'add', audience, batch),
    remove: (ctx, audience, batch) => change(ctx, 'delete', audience, batch),
    async delete(ctx, { name, externalId }) {
      const request = subscriptionRequest(ctx, 'remove', name, subscriptionOf(externalId));
      read(await post(ctx, request), subscriptionResponse);
    },
  },
});

async function change(
  ctx: FirehoseContext,
  action: 'add' | 'delete',
  audience: PartnerAudience,
  batch: Batch<FirehoseIdentity>,
): Promise<BatchResult> {
  if (batch.members.length === 0) return { status: 'done', rejected: [] };
  const request = membershipRequest(ctx, action, audience, batch);
  const answer = read(await post(ctx, request), membershipResponse);
  if (answer.suspend_subscription === true) {
    throw fault.config(
      'SUBSCRIPTION_SUSPENDED',
      'The Firehose receiver suspended the subscription of this audience. Ask its operator why, then resume.',
    );
  }
  return { status: 'done', rejected: [] };
}

type SendContext = Pick<
  Context<FirehoseContext['settings'], FirehoseContext['credentials']>,
  'settings' | 'credentials' | 'http'
>;

async function post(ctx: SendContext, message: object): Promise<HttpResponse> {
  const { url, compression, authHeader } = ctx.settings;
  const { accessToken } = ctx.credentials;
  const body = JSON.stringify(message);
  const packed = compression === 'gzip';
  return ctx.http.request({
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json;charset=utf-8',
      accept: 'application/json',
      ...(packed ? { 'content-encoding': 'gzip' } : {}),
      ...(accessToken === undefined
        ? {}
        : { [authHeader ?? 'authorization']: authHeader ? accessToken : `Bearer ${accessToken}` }),
    },
    body: packed ? await zip(body) : body,
  });
}
