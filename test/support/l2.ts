import { createHmac } from 'node:crypto';
import type { TestHub } from './hub.js';
import { until } from './until.js';

/** Secrets of an L2 input in specs. */
export const L2_SECRETS = {
  signingSecret: 'signing-secret-0123456789',
  bearerSecret: 'bearer-secret-0123456789',
};

/** What the hook answered. */
export interface L2Answer {
  status: number;
  body: {
    uploadId: string;
    importId: string;
    state: string;
    repeated: boolean;
    code: string;
    detail: string;
  };
}

/** A form as a sender makes it, with its bytes at hand to be signed. */
export async function formOf(
  name: string,
  file: string | Uint8Array,
): Promise<{ type: string; body: Buffer }> {
  const form = new FormData();
  form.set('file', new Blob([typeof file === 'string' ? file : new Uint8Array(file)]), 'universe.csv');
  form.set('name', name);
  const made = new Response(form);
  return { type: made.headers.get('content-type') ?? '', body: Buffer.from(await made.arrayBuffer()) };
}

/** The header of a body that was signed at a moment. */
export function signed(body: Uint8Array | string, secret = L2_SECRETS.signingSecret, at = Date.now()) {
  const seconds = Math.floor(at / 1000);
  const digest = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex');
  return { 'x-hub-signature': `t=${seconds},v1=${digest}` };
}

/** Posts to the hook. */
export async function postUniverse(
  url: string,
  type: string,
  body: string | Uint8Array,
  headers: Record<string, string>,
  query = '',
): Promise<L2Answer> {
  const response = await fetch(`${url}/api/v1/hooks/l2/universes${query}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  return { status: response.status, body: (await response.json()) as L2Answer['body'] };
}

/** Proof of a sender by the head alone. */
export const L2_BEARER = { authorization: `Bearer ${L2_SECRETS.bearerSecret}` };

/** Makes an organization of this account with a workspace and an L2 input; returns the workspace. */
export async function makeL2Account(hub: TestHub, accountId: string, settings: object = {}): Promise<string> {
  const organization = { name: `Account ${accountId}`, externalId: accountId };
  const { id: organizationId } = await hub.ok<{ id: string }>('POST', '/organizations', organization);
  const workspace = { organizationId, name: 'W', seatId: `seat-${accountId}` };
  const { id } = await hub.ok<{ id: string }>('POST', '/workspaces', workspace);
  const input = { workspaceId: id, plugin: 'l2-universe', name: 'L2', settings, credentials: L2_SECRETS };
  await hub.ok('POST', '/inputs', input);
  return id;
}

/** An import at its end. */
export interface EndedImport {
  id: string;
  state: string;
  audienceId: number;
  added: number;
  error: { code: string; message: string } | null;
  rows: {
    read: number;
    accepted: number;
    rejected: number;
    rejectedByReason: Record<string, number>;
  } | null;
}

/** Waits for the end of the import that a push was answered with. */
export async function importOfPush(hub: TestHub, answer: L2Answer): Promise<EndedImport> {
  if (answer.status !== 202) throw new Error(`Answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return until(
    'the import is at its end',
    async () => {
      const found = await hub.ok<EndedImport>('GET', `/imports/${answer.body.importId}`);
      return ['queued', 'running'].includes(found.state) ? undefined : found;
    },
    60_000,
  );
}
