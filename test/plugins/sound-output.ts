import { z } from 'zod';
import {
  type Batch,
  type Context,
  defineOutput,
  faultFromStatus,
  type HttpResponse,
  secret,
} from '../../src/kit/index.js';
import type { FakePartner, OutputFixtures } from '../../src/kit/testing/index.js';

/** Members the partner of the sound output takes with one request. */
export const PARTNER_LIMIT = 20;

export const settings = z.object({ url: z.url() });
const credentials = z.object({ apiKey: secret('Key of the account') });
export type Ctx = Context<z.output<typeof settings>, z.output<typeof credentials>>;

/** A small output without a flaw. */
export const soundOutput = defineOutput({
  id: 'sound-ads',
  name: 'Sound Ads',
  description: 'Keeps every promise of the contract.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'sha256' }],
  limits: { batchSize: PARTNER_LIMIT },
  async check(ctx) {
    await call(ctx, 'GET', '/account');
  },
  audience: {
    add: async (ctx, _, batch) => send(ctx, 'add', batch),
    remove: async (ctx, _, batch) => send(ctx, 'remove', batch),
    deleteTakesMembers: () => true,
    async delete(ctx) {
      await call(ctx, 'POST', '/audience/delete');
    },
  },
});

async function send(ctx: Ctx, operation: string, batch: Batch<'email'>) {
  if (batch.members.length === 0) return { status: 'done' as const, rejected: [] };
  const response = await call(ctx, 'POST', `/members/${operation}`, batch);
  const { refused } = response.json() as { refused: number[] };
  return {
    status: 'done' as const,
    rejected: refused.map((index) => ({ index, code: 'REFUSED', message: 'Refused by the partner.' })),
  };
}

/** One request to the partner, with the fault of the hub where it fails. */
export async function call(
  ctx: Ctx,
  method: 'GET' | 'POST',
  path: string,
  batch?: Batch<'email'>,
): Promise<HttpResponse> {
  const response = await ctx.http.request({
    method,
    url: `${ctx.settings.url}${path}`,
    headers: { authorization: `Bearer ${ctx.credentials.apiKey}`, 'idempotency-key': batch?.id ?? '' },
    ...(batch ? { body: JSON.stringify(batch.members) } : {}),
  });
  if (response.status === 200) return response;
  throw faultFromStatus(response.status, `Sound Ads answered ${response.status}.`, response.retryAfterMs);
}

/** A partner that appends, knows only the idempotency key, and has a limit. */
function partner(refused: readonly number[] = []): FakePartner {
  const seen = new Set<string>();
  let members: string[] = [];
  return {
    answer({ url, headers, body }) {
      if (url.startsWith('/account')) return { status: 200 };
      if (url.startsWith('/audience/delete')) members = [];
      if (!url.startsWith('/members')) return { status: 200 };
      const mpids = (JSON.parse(body) as { mpid: string }[]).map(({ mpid }) => mpid);
      if (mpids.length > PARTNER_LIMIT) return { status: 413 };
      const key = String(headers['idempotency-key']);
      if (!seen.has(key)) {
        seen.add(key);
        if (url.startsWith('/members/add')) members.push(...mpids);
        else members = members.filter((mpid) => !mpids.includes(mpid));
      }
      return { status: 200, body: JSON.stringify({ refused }) };
    },
    state: () => [...members].sort(),
  };
}

export const soundFixtures: OutputFixtures<typeof settings, typeof credentials, z.ZodObject, 'email'> = {
  settings: (url) => ({ url }),
  credentials: (canary) => ({ apiKey: canary }),
  connection: {},
  member: (index) => ({ mpid: String(index), identities: { email: [`hash-of-person-${index}`] } }),
  http: {
    partner: () => partner(),
    partnerRejecting: (indexes) => partner(indexes),
    membersIn: ({ url, body }) => (url.startsWith('/members') ? (JSON.parse(body) as unknown[]).length : 0),
  },
};
