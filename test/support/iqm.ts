import { randomInt, randomUUID } from 'node:crypto';
import { requestWindows, type Database } from '../../src/platform/database/index.js';
import { DATABASE } from '../../src/platform/nest/index.js';
import type { TestHub } from './hub.js';

/** What a call of IQM's API answered. */
export interface IqmAnswer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
}

/** What a log-in gives. */
export interface LogInData {
  access_token: string;
  refresh_token: string;
  scope: string;
  token_type: string;
  expires_in: number;
  owId: number;
}

/** An organization whose users may log in, with one workspace, one user and one API client. */
export interface IqmAccount {
  owId: number;
  organizationId: string;
  workspaceId: string;
  host: string;
  userId: string;
  email: string;
  password: string;
  clientId: string;
  clientSecret: string;
}

/** Makes an account by the admin API, as the page on IQM's API says. */
export async function makeIqmAccount(hub: TestHub, more: { role?: string } = {}): Promise<IqmAccount> {
  const owId = randomInt(100_000, 2 ** 40);
  const host = `${randomUUID()}.example.com`;
  const email = 'Uploader@example.com';
  const password = `pass-${randomUUID()}`;
  const made = async (path: string, body: object) => (await hub.ok<{ id: string }>('POST', path, body)).id;
  const organizationId = await made('/organizations', { name: `Account ${owId}`, externalId: String(owId) });
  const workspace = { organizationId, name: `Workspace ${owId}`, seatId: '1', host };
  const workspaceId = await made('/workspaces', workspace);
  const user = { workspaceId, email, name: 'Una Uploader', role: more.role ?? 'editor' };
  const userId = await made('/users', user);
  await hub.ok('PUT', `/users/${userId}/password`, { password });
  const client = await hub.ok<{ clientId: string; clientSecret: string }>('POST', '/api-clients', {
    workspaceId,
    name: 'Nightly script',
  });
  const { clientId, clientSecret } = client;
  return { owId, organizationId, workspaceId, host, userId, email, password, clientId, clientSecret };
}

/** Calls IQM's API; `body` is sent as JSON where it is a plain object. */
export async function iqmCall<Body = Record<string, unknown>>(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: object | string,
): Promise<IqmAnswer<Body>> {
  const isJson = typeof body === 'object' && body.constructor === Object;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(isJson ? { 'content-type': 'application/json' } : {}) },
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as string) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

/** POST /api/v3/ua/login with what is right, but for `changed`. */
export function logInAnswer(
  url: string,
  account: IqmAccount,
  changed: { host?: string; secret?: string; body?: object } = {},
): Promise<IqmAnswer<{ success: boolean; data: LogInData; errorObjects?: { error: string }[] }>> {
  const { clientId, clientSecret, email, password } = account;
  const headers = {
    authorization: basic(clientId, changed.secret ?? clientSecret),
    'x-iaa-host': changed.host ?? account.host,
  };
  const body = changed.body ?? { grantType: 'password', email, password };
  return iqmCall(url, 'POST', '/api/v3/ua/login', headers, body);
}

/** Logs in; the headers of every other call. */
export async function logIn(url: string, account: IqmAccount): Promise<Record<string, string>> {
  const { status, body } = await logInAnswer(url, account);
  if (status !== 200) throw new Error(`The log-in answered ${status}: ${JSON.stringify(body)}`);
  return { authorization: `Bearer ${body.data.access_token}`, 'x-iaa-ow-id': String(body.data.owId) };
}

/** Forgets the requests of the last minute: polling is faster in a spec than a script may be. */
export async function forgetRequests({ hub }: TestHub): Promise<void> {
  await hub.app.get<Database>(DATABASE).delete(requestWindows);
}
