import { z } from 'zod';
import {
  type Context,
  accessTokenOf,
  fault,
  type HttpResponse,
  type OutputContext,
} from '../../src/kit/index.js';
import { faultOf } from './errors.js';
import type { GoogleConnection, GoogleCredentials, GoogleSettings } from './settings.js';

/** The version of the Data Manager API that this plugin speaks. */
export const API_VERSION = 'v1';

/** Members that a request takes, to add and to remove alike. developers.google.com/data-manager/api/limits */
export const MAX_MEMBERS = 10_000;
/** Identifiers that a member of a request may have. */
export const MAX_IDENTIFIERS = 10;

const TIMEOUT_MS = 110_000;

export type ApiContext = Context<GoogleSettings, GoogleCredentials>;
export type GoogleContext = OutputContext<GoogleSettings, GoogleCredentials, GoogleConnection>;

/** One request. An access token that is refused is replaced by another one once. */
export async function call(
  ctx: ApiContext,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: string,
): Promise<HttpResponse> {
  const first = await accessTokenOf(ctx);
  const answer = await request(ctx, { method, path, body, token: first });
  if (answer.status !== 401) return accepted(answer);
  const another = await accessTokenOf(ctx, first);
  return accepted(await request(ctx, { method, path, body, token: another }));
}

/** The body of an answer, held against what the API documents. */
export function read<T extends z.ZodType>(response: HttpResponse, shape: T): z.output<T> {
  const answer = shape.safeParse(response.json());
  if (answer.success) return answer.data;
  throw fault.retryable(
    'MALFORMED_RESPONSE',
    `Google answered in another shape than ${API_VERSION} of its Data Manager API has. Report it if it lasts.`,
  );
}

/** Name of the operating account, below which its lists are. */
export function accountOf({ settings: { accountType, operatingAccountId } }: ApiContext): string {
  return `accountTypes/${accountType}/accounts/${operatingAccountId}`;
}

/** The account that the credentials are of, where the settings name one. */
export function loginOf({ settings }: ApiContext): { accountType: string; accountId: string } | undefined {
  const { accountType, loginAccountType = accountType, loginAccountId: accountId } = settings;
  return accountId === undefined ? undefined : { accountType: loginAccountType, accountId };
}

interface Sent {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body: string | undefined;
  token: string;
}

function request(ctx: ApiContext, { method, path, body, token }: Sent): Promise<HttpResponse> {
  const login = loginOf(ctx);
  return ctx.http.request({
    method,
    url: `${ctx.settings.endpoint}/${API_VERSION}/${path}`,
    headers: {
      authorization: `Bearer ${token}`,
      ...(login ? { 'login-account': `accountTypes/${login.accountType}/accounts/${login.accountId}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
    timeoutMs: TIMEOUT_MS,
  });
}

function accepted(response: HttpResponse): HttpResponse {
  if (response.status >= 200 && response.status < 300) return response;
  throw faultOf(response);
}
