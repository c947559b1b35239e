import { z } from 'zod';
import {
  type ConnectorError,
  type Context,
  fault,
  faultFromStatus,
  type HttpResponse,
} from '../../src/kit/index.js';
import type { BrazeSettings, credentials } from './settings.js';

/** The REST API has no versions: this is the endpoint as documented in 2026, with its limits. */
export const API = {
  path: '/users/track',
  /** Objects a request takes, all of its arrays together. */
  maxObjects: 75,
} as const;

const TIMEOUT_MS = 60_000;
/** A reset further away than this is not believed. */
const MAX_WAIT_MS = 3_600_000;

export type ApiContext = Context<BrazeSettings, z.output<typeof credentials>>;

const answer = z.object({
  message: z.string(),
  errors: z
    .array(
      z.union([
        z.string(),
        z.looseObject({
          type: z.string().optional(),
          input_array: z.string().optional(),
          index: z.int().nonnegative().optional(),
        }),
      ]),
    )
    .default([]),
});

/** An object of the request that Braze did not take. */
export interface RefusedObject {
  index: number;
  message: string;
}

/** Sends the attributes; those refused one by one. Refusals that name nobody are thrown as `permanent`. */
export async function track(ctx: ApiContext, attributes: readonly object[]): Promise<RefusedObject[]> {
  const response = await ctx.http.request({
    method: 'POST',
    url: `${ctx.settings.endpoint}${API.path}`,
    headers: { authorization: `Bearer ${ctx.credentials.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ attributes }),
    timeoutMs: TIMEOUT_MS,
  });
  if (response.status < 200 || response.status >= 300) throw faultOf(response, ctx.now());
  const told = answer.safeParse(response.json());
  if (!told.success || told.data.message !== 'success') {
    throw fault.retryable(
      'MALFORMED_RESPONSE',
      'Braze answered in another shape than documented. Report it if it lasts.',
    );
  }
  return told.data.errors.map((error) => refusedObject(error, attributes.length));
}

function refusedObject(error: z.output<typeof answer>['errors'][number], sent: number): RefusedObject {
  const { index, input_array: array = 'attributes', type = '' } = typeof error === 'string' ? {} : error;
  if (index === undefined || index >= sent || array !== 'attributes') {
    // The host sends halves until whoever is meant stands alone; setting an attribute twice does no harm.
    throw fault.permanent('PARTLY_REFUSED', 'Braze refused somebody of the request and did not say whom.');
  }
  return { index, message: plainText(type) };
}

/** Braze's words of an error are a short text; one that quotes something is not repeated. */
function plainText(text: string): string {
  return /^[A-Za-z0-9 _'.,()-]{1,200}$/.test(text) && !/\d{5}/.test(text)
    ? text
    : 'Braze did not take the user’s attributes.';
}

function faultOf(response: HttpResponse, now: Date): ConnectorError {
  const { status } = response;
  const waitMs =
    status === 429 ? (response.retryAfterMs ?? untilReset(response, now)) : response.retryAfterMs;
  return faultFromStatus(status, `Braze answered ${status}. ${adviceFor(status)}`, waitMs);
}

/** Milliseconds until the limit starts anew: Braze says it as a time, in seconds since 1970. */
function untilReset({ headers }: HttpResponse, now: Date): number | undefined {
  const reset = headers['x-ratelimit-reset'];
  if (reset === undefined || !/^\d{1,12}$/.test(reset)) return undefined;
  return Math.min(Math.max(0, Number(reset) * 1000 - now.getTime()), MAX_WAIT_MS);
}

function adviceFor(status: number): string {
  if (status === 401) return 'The key is not one of this instance, or lacks the permission users.track.';
  if (status === 403) return 'The plan does not allow it, or the account is deactivated. Ask Braze.';
  if (status === 404) return 'Correct the endpoint: it is the REST endpoint of your instance.';
  if (status === 429) return 'The limit of requests is used up; lower requestsPerSecond if it lasts.';
  if (status >= 500) return 'See status.braze.com if it lasts.';
  return 'The request will be refused again as it is.';
}
