import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { type Context, fault, type HttpResponse, type JsonText, LIST_GONE } from '../../src/kit/index.js';
import { faultOf } from './errors.js';
import type { MetaCredentials, MetaSettings } from './settings.js';

/** The version of the Marketing API that this plugin speaks. */
export const API_VERSION = 'v25.0';

/** Rows that a request takes, to add, remove and replace alike. */
export const MAX_ROWS = 10_000;

const TIMEOUT_MS = 110_000;

export type ApiContext = Context<MetaSettings, MetaCredentials>;

/** One request. `body` is sent as JSON; a proof of the app's secret is added where there is one. */
export async function call(
  ctx: ApiContext,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: Readonly<Record<string, unknown>> | RawJson,
): Promise<HttpResponse> {
  const proof = proofOf(ctx.credentials);
  const sent = method === 'GET' ? undefined : withProof(body, proof);
  const response = await ctx.http.request({
    method,
    url: `${ctx.settings.endpoint}/${API_VERSION}/${path}${sent === undefined ? inQuery(path, proof) : ''}`,
    headers: {
      authorization: `Bearer ${ctx.credentials.accessToken}`,
      ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(sent === undefined ? {} : { body: sent }),
    timeoutMs: TIMEOUT_MS,
  });
  // Some errors come with status 200 and a body that says so.
  const answer = response.status === 200 ? parsed(response) : undefined;
  if (response.status === 200 && !isError(answer)) return response;
  const refusal = faultOf(response, isError(answer) ? answer : parsed(response));
  if (refusal.code !== LIST_GONE || !path.startsWith('act_')) throw refusal;
  throw fault.config(
    'AUDIENCE_MISSING',
    'Meta knows no such ad account for this token. Correct adAccountId.',
  );
}

/** An object in JSON that is written already, in two pieces, without its closing brace. Sent once. */
export class RawJson {
  #body: Buffer | undefined;

  constructor(
    private readonly head: string,
    private readonly text: JsonText,
  ) {}

  /** The whole text, with `end` behind it. */
  close(end: string): Buffer {
    this.#body = this.text.take(this.head, end);
    return this.#body;
  }

  /** What was sent, as objects. */
  parsed(): unknown {
    return JSON.parse(this.#body?.toString('utf8') ?? '{}');
  }
}

/** The body of an answer, held against what the API documents. */
export function read<T extends z.ZodType>(response: HttpResponse, shape: T): z.output<T> {
  const answer = shape.safeParse(response.json());
  if (answer.success) return answer.data;
  throw fault.retryable(
    'MALFORMED_RESPONSE',
    `Meta answered in another shape than ${API_VERSION} of its API has. Report it if it lasts.`,
  );
}

/** The ad account's path, with `act_` whether the settings have it or not. */
export function accountOf({ settings }: ApiContext): string {
  return `act_${settings.adAccountId.replace(/^act_/, '')}`;
}

/** Meta's proof that whoever has the token has the app's secret too: HMAC-SHA256 of the token. */
function proofOf({ accessToken, appSecret }: MetaCredentials): string | undefined {
  return appSecret === undefined
    ? undefined
    : createHmac('sha256', appSecret).update(accessToken).digest('hex');
}

function withProof(
  body: Readonly<Record<string, unknown>> | RawJson | undefined,
  proof: string | undefined,
): string | Buffer {
  if (body instanceof RawJson)
    return body.close(`${proof === undefined ? '' : `,"appsecret_proof":"${proof}"`}}`);
  return JSON.stringify({ ...body, ...(proof === undefined ? {} : { appsecret_proof: proof }) });
}

function inQuery(path: string, proof: string | undefined): string {
  if (proof === undefined) return '';
  return `${path.includes('?') ? '&' : '?'}appsecret_proof=${proof}`;
}

/** undefined where it is no JSON. */
function parsed(response: HttpResponse): unknown {
  try {
    return response.json();
  } catch (error) {
    if (response.status === 200) throw error;
    return undefined;
  }
}

function isError(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'error' in answer;
}
