import { z } from 'zod';
import {
  type Batch,
  type BatchResult,
  type Context,
  defineOutput,
  fault,
  faultFromStatus,
  type HttpResponse,
  IDENTITY_TYPES,
  type PartnerAudience,
  secret,
} from '../../src/kit/index.js';
import { countIn, externalIdOf, rejectedOf } from './answer.js';
import { signatureOf } from './sign.js';

const GONE = 410;
const DAY_MS = 86_400_000;
const AUDIENCE_GONE =
  "The webhook's receiver answered 410: it has the audience no more. Resume makes it anew there and sends all of it.";
const MAX_BATCH_SIZE = 1000;
/** Requests under way at once. A receiver that keeps up may ask for more; after a failure all of them come again. */
const CONCURRENCY = 1;

const settings = z.object({
  url: z.url({ protocol: /^https?$/ }).meta({ description: 'Address that takes the POST requests' }),
  batchSize: z
    .int()
    .min(1)
    .max(MAX_BATCH_SIZE)
    .optional()
    .meta({ description: `Members a request; ${MAX_BATCH_SIZE} unless set` }),
  concurrency: z
    .int()
    .min(1)
    .max(16)
    .optional()
    .meta({ description: `Requests under way at once; ${CONCURRENCY} unless set` }),
  rateLimit: z
    .object({ requests: z.int().min(1).max(1_000_000), perSeconds: z.int().min(1).max(86_400) })
    .optional()
    .meta({
      description: 'Most requests in any so many seconds, from all workers together; no limit unless set',
    }),
  tellsCount: z
    .boolean()
    .optional()
    .meta({ description: 'Whether the receiver answers audience.count; it is not asked unless set' }),
  expireAfterDays: z.int().min(1).max(3650).optional().meta({
    description:
      'Days after which the receiver forgets members who are not added again; the hub adds them in time. Unless set: never',
  }),
});
const credentials = z.object({
  secret: secret('Shared with the receiver, which checks the signature of every request with it'),
});
type WebhookContext = Context<z.output<typeof settings>, z.output<typeof credentials>>;

/** Membership changes as signed JSON requests to any address. */
export const webhook = defineOutput({
  id: 'webhook',
  name: 'Webhook',
  description: 'Sends membership changes as signed JSON batches to an address of yours.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings: z.object({}),
  identities: IDENTITY_TYPES.map((type) => ({ type, encoding: 'raw' as const })),
  attributes: 'optional',
  limits: { batchSize: MAX_BATCH_SIZE, concurrency: CONCURRENCY, ahead: true },
  limitsFor: (settings) => ({
    batchSize: settings.batchSize ?? MAX_BATCH_SIZE,
    concurrency: settings.concurrency ?? CONCURRENCY,
    ahead: true,
    ...(settings.rateLimit ? { rateLimit: settings.rateLimit } : {}),
  }),
  expireAfterMs: ({ expireAfterDays: days }) => (days === undefined ? undefined : days * DAY_MS),
  async check(ctx) {
    await send(ctx, { event: 'ping' });
  },
  audience: {
    async create(ctx, { name, key = ctx.connectionId }) {
      // The same key on every try makes a repeated request harmless.
      const response = await send(ctx, { event: 'audience.created', audience: { name } }, key);
      return { externalId: externalIdOf(response) ?? key };
    },
    async rename(ctx, { externalId, name }) {
      await send(ctx, { event: 'audience.renamed', audience: { externalId, name } });
    },
    add: (ctx, audience, batch) => sendMembers(ctx, 'add', audience, batch),
    remove: (ctx, audience, batch) => sendMembers(ctx, 'remove', audience, batch),
    async delete(ctx, audience) {
      await send(ctx, { event: 'audience.deleted', audience }, `${ctx.connectionId}-deleted`);
    },
    async count(ctx, { externalId, name }) {
      if (ctx.settings.tellsCount !== true) return undefined;
      const event = { event: 'audience.count', audience: { externalId, name } };
      // A key of its own each time: an answer that was kept for a former one would be old.
      return countIn(await send(ctx, event, `${ctx.connectionId}-count-${ctx.now().getTime()}`));
    },
  },
});

async function sendMembers(
  ctx: WebhookContext,
  operation: 'add' | 'remove',
  audience: PartnerAudience,
  batch: Batch,
): Promise<BatchResult> {
  if (batch.size === 0) return { status: 'done', rejected: [] };
  const { id: batchId, fromVersion, toVersion } = batch;
  const { externalId, name } = audience;
  const about = { externalId, name };
  const head = { event: 'audience.members', audience: about, batchId, operation, fromVersion, toVersion };
  const body = batch.membersJson(`${JSON.stringify(head).slice(0, -1)},"members":`, '}');
  return { status: 'done', rejected: rejectedOf(await post(ctx, body, batchId), batch) };
}

async function send(ctx: WebhookContext, event: object, idempotencyKey?: string): Promise<HttpResponse> {
  return post(ctx, Buffer.from(JSON.stringify(event)), idempotencyKey);
}

async function post(ctx: WebhookContext, body: Uint8Array, idempotencyKey?: string): Promise<HttpResponse> {
  const response = await ctx.http.request({
    method: 'POST',
    url: ctx.settings.url,
    headers: {
      'content-type': 'application/json',
      'x-hub-signature': signatureOf(ctx.credentials.secret, body, ctx.now()),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    body,
  });
  if (response.status >= 200 && response.status < 300) return response;
  if (response.status === GONE && idempotencyKey !== undefined)
    throw fault.config('LIST_GONE', AUDIENCE_GONE);
  throw faultFromStatus(
    response.status,
    `The webhook's receiver answered ${response.status}. See the receiver's log for the reason.`,
    response.retryAfterMs,
  );
}
