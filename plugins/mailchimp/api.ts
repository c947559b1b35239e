import { z } from 'zod';
import {
  type ConnectorError,
  type Context,
  fault,
  faultFromStatus,
  type HttpRequest,
  type HttpResponse,
} from '../../src/kit/index.js';
import { dataCenterOf } from './data-center.js';
import type { credentials, settings } from './settings.js';

/** The Marketing API this plugin speaks; its addresses begin with it. */
export const API_VERSION = '3.0';

/** Addresses that one call takes, for members of a list as for those of a tag. */
export const MAX_ADDRESSES = 500;
/** The API answers with everything it knows of every member it was sent, a few kB each. */
const MAX_RESPONSE_BYTES = 16 * 2 ** 20;
/** Mailchimp itself gives up after two minutes. */
const TIMEOUT_MS = 110_000;

export type ApiContext = Context<z.output<typeof settings>, z.output<typeof credentials>>;

const problem = z.object({ title: z.string(), detail: z.string().optional() });

/** Sends one request below the list of the settings; answers of 404 are handed back, all other errors thrown. */
export async function call(
  ctx: ApiContext,
  method: HttpRequest['method'],
  path: string,
  body?: object,
): Promise<HttpResponse> {
  const response = await ctx.http.request({
    method,
    url: `${baseOf(ctx)}/${API_VERSION}/lists/${encodeURIComponent(ctx.settings.listId)}${path}`,
    headers: {
      // Mailchimp takes any user name with a key.
      authorization: `Basic ${Buffer.from(`hub:${ctx.credentials.apiKey}`).toString('base64')}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    timeoutMs: TIMEOUT_MS,
    maxResponseBytes: MAX_RESPONSE_BYTES,
  });
  if ((response.status >= 200 && response.status < 300) || response.status === 404) return response;
  throw faultOf(response);
}

/** The same where a 404 means that somebody deleted what the settings or the connection name. */
export async function callExisting(
  ctx: ApiContext,
  method: HttpRequest['method'],
  path: string,
  body?: object,
): Promise<HttpResponse> {
  const response = await call(ctx, method, path, body);
  if (response.status !== 404) return response;
  if (path.startsWith('/segments/')) {
    const message =
      'Mailchimp knows no such tag in the list any more. Was it deleted? Resume makes it anew and tags everybody.';
    throw fault.config('LIST_GONE', message);
  }
  throw fault.config(
    'AUDIENCE_MISSING',
    `Mailchimp knows no list ${ctx.settings.listId} for this key. Correct listId: it is the audience's ID.`,
  );
}

/** The body of an answer, held against what the API documents. */
export function read<T extends z.ZodType>(response: HttpResponse, shape: T): z.output<T> {
  const answer = shape.safeParse(response.json());
  if (answer.success) return answer.data;
  throw fault.retryable(
    'MALFORMED_RESPONSE',
    `Mailchimp answered in another shape than version ${API_VERSION} of its API has. Report it if it lasts.`,
  );
}

/** What a refusal of a name that is taken already looks like. */
export function isNameTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'NAME_TAKEN';
}

/** Mailchimp quotes addresses in `detail`, so that is never repeated; `title` is one of a short list. */
function faultOf(response: HttpResponse): ConnectorError {
  const { status, retryAfterMs } = response;
  const told = problemOf(response);
  if (status === 400 && /already exists/i.test(told?.detail ?? '')) {
    return fault.config(
      'NAME_TAKEN',
      'Mailchimp has a tag of this name already. Give the connection another tag.',
    );
  }
  const title = told && /^[A-Za-z ]{1,60}$/.test(told.title) ? ` (${told.title})` : '';
  return faultFromStatus(status, `Mailchimp answered ${status}${title}. ${adviceFor(status)}`, retryAfterMs);
}

function problemOf(response: HttpResponse): z.output<typeof problem> | undefined {
  try {
    return problem.parse(response.json());
  } catch {
    return undefined;
  }
}

function adviceFor(status: number): string {
  if (status === 401) return 'The API key is not valid: make a new one and put it in.';
  if (status === 403)
    return 'The key is disabled, or its user may not change audiences: it needs the role Manager.';
  if (status === 429) return 'A key may have ten requests under way at once, of all its users together.';
  if (status >= 500) return 'See status.mailchimp.com if it lasts.';
  return 'The request will be refused again as it is.';
}

function baseOf({ settings, credentials }: ApiContext): string {
  return settings.endpoint ?? `https://${dataCenterOf(credentials.apiKey)}.api.mailchimp.com`;
}
