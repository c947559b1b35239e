import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import {
  type BodyVerifier,
  type Context,
  defineInput,
  fault,
  type PushedFile,
  type PushedInput,
  secret,
  type WebhookHead,
  type WebhookIdentity,
  type WebhookRequest,
  type WebhookTrigger,
} from '../../src/kit/index.js';
import type { PushedFixtures } from '../../src/kit/testing/index.js';

const WINDOW_MS = 300_000;
const settings = z.object({ maxBytes: z.int().positive().default(1e6) });
const credentials = z.object({ signing: secret('Signs').optional(), bearer: secret('Is sent').optional() });
type Ctx = Context<z.output<typeof settings>, z.output<typeof credentials>>;

/** A small webhook without a flaw. */
export const soundWebhook = defineInput({
  id: 'sound-hook',
  name: 'Sound Hook',
  description: 'Keeps every promise of the contract.',
  version: '1.0.0',
  settings,
  credentials,
  check: () => Promise.resolve(),
  trigger: {
    type: 'webhook',
    path: 'sound/files',
    maxBytes: ({ maxBytes }) => maxBytes,
    authenticate: async (ctx, head) => Promise.resolve(authenticate(ctx, head)),
    receive: async (_, request) => Promise.resolve(receive(request)),
  },
}) as PushedInput;

function authenticate(ctx: Ctx, { headers }: WebhookHead): WebhookIdentity {
  const { 'x-time': time, 'x-signature': signature, authorization } = headers;
  if (signature !== undefined && time !== undefined) {
    if (Math.abs(ctx.now().getTime() - Number(time)) > WINDOW_MS) throw fault.auth('OLD', 'Sign anew.');
    return { verifier: verifier(ctx.credentials.signing ?? '', time, signature), requestId: signature };
  }
  const known = `Bearer ${ctx.credentials.bearer ?? ''}`;
  if (authorization === undefined || !same(authorization, known))
    throw fault.auth('UNKNOWN', 'Send a proof.');
  return {};
}

function verifier(key: string, time: string, signature: string): BodyVerifier {
  const hmac = createHmac('sha256', key).update(time);
  return {
    update: (chunk) => void hmac.update(chunk),
    end() {
      if (!same(hmac.digest('hex'), signature)) throw fault.auth('WRONG', 'The signature is wrong.');
    },
  };
}

function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function receive({ fields: { name = '' } }: WebhookRequest): PushedFile {
  if (name === '') throw fault.permanent('NO_NAME', 'Send the field "name".');
  return {
    key: name,
    workspace: { by: 'input' },
    audienceName: name,
    shape: { format: 'csv', header: true, encodings: 'detect', maxBytes: 1e6 },
    onUnknown: 'create',
  };
}

export const soundWebhookFixtures: PushedFixtures = {
  settings: {},
  credentials: (canary) => ({ signing: `${canary}-s`, bearer: `${canary}-b` }),
  webhook: {
    sign({ signing }, body, at) {
      const time = String(at.getTime());
      const digest = createHmac('sha256', String(signing)).update(time).update(body).digest('hex');
      return { 'x-time': time, 'x-signature': digest };
    },
    bearer: ({ bearer }) => ({ authorization: `Bearer ${String(bearer)}` }),
    requestOf: (name) => ({ fields: { name } }),
    refused: [{ title: 'no name', request: { fields: {} } }],
  },
};

type Trigger = WebhookTrigger<z.output<z.ZodObject>, z.output<z.ZodObject>>;
const sound = soundWebhook.trigger as Trigger;

function withTrigger(change: Partial<Trigger>): PushedInput {
  return { ...soundWebhook, trigger: { ...sound, ...change } };
}

/** A copy that changes what is known of the sender. */
function withIdentity(
  change: (identity: WebhookIdentity, head: WebhookHead) => WebhookIdentity,
): PushedInput {
  return withTrigger({
    authenticate: async (ctx, head) => change(await sound.authenticate(ctx, head), head),
  });
}

/** A copy that changes what becomes of a file. */
function withFile(change: (file: PushedFile) => PushedFile): PushedInput {
  return withTrigger({ receive: async (ctx, request) => change(await sound.receive(ctx, request)) });
}

function withBytes(change: (chunk: Uint8Array) => Uint8Array): PushedInput {
  return withIdentity(({ verifier: given, ...identity }) => ({
    ...identity,
    ...(given && { verifier: { ...given, update: (chunk) => given.update(change(chunk)) } }),
  }));
}

/** Flawed copies: what is wrong, and the check that must notice. */
export const flawedWebhooks: readonly { flaw: string; noticedBy: string; plugin: PushedInput }[] = [
  {
    flaw: 'an address that no route can have',
    noticedBy: 'its address and its limit are declared',
    plugin: withTrigger({ path: '/Sound Files/' }),
  },
  {
    flaw: 'a limit that takes nothing',
    noticedBy: 'its address and its limit are declared',
    plugin: withTrigger({ maxBytes: () => 0 }),
  },
  {
    flaw: 'a sender who proves nothing',
    noticedBy: 'a request without proof is refused',
    plugin: withTrigger({
      authenticate: async (ctx, head) =>
        Object.keys(head.headers).length === 0 ? {} : sound.authenticate(ctx, head),
    }),
  },
  {
    flaw: 'any signature that is accepted',
    noticedBy: 'a bad signature is refused',
    plugin: withIdentity(({ requestId }) => (requestId === undefined ? {} : { requestId })),
  },
  {
    flaw: 'a bad signature that is an error without a kind',
    noticedBy: 'a bad signature is refused',
    plugin: withIdentity(({ verifier: given, ...identity }) => ({
      ...identity,
      ...(given && {
        verifier: {
          update: (chunk) => given.update(chunk),
          end() {
            try {
              given.end();
            } catch {
              throw new Error('The signature is wrong.');
            }
          },
        },
      }),
    })),
  },
  {
    flaw: 'a body that is verified as text',
    noticedBy: 'a signed body is taken as the bytes it is: BOM, CRLF and NUL, in any chunks',
    plugin: withBytes((chunk) => Buffer.from(Buffer.from(chunk).toString('utf8'))),
  },
  {
    flaw: 'line ends that are verified as if they were others',
    noticedBy: 'a signed body is taken as the bytes it is: BOM, CRLF and NUL, in any chunks',
    plugin: withBytes((chunk) =>
      Buffer.from(Buffer.from(chunk).toString('latin1').replaceAll('\r', ''), 'latin1'),
    ),
  },
  {
    flaw: 'a signature that is good for ever',
    noticedBy: 'an old signature is refused',
    plugin: withTrigger({
      authenticate: (ctx, head) =>
        sound.authenticate({ ...ctx, now: () => new Date(Number(head.headers['x-time'] ?? 0)) }, head),
    }),
  },
  {
    flaw: 'a signed request that may be repeated',
    noticedBy: 'a repeated request is known by its id',
    plugin: withIdentity(({ verifier: given }) => (given ? { verifier: given } : {})),
  },
  {
    flaw: 'one id for all requests',
    noticedBy: 'a repeated request is known by its id',
    plugin: withIdentity((identity) => ({ ...identity, requestId: 'always' })),
  },
  {
    flaw: 'the beginning of a secret that is enough',
    noticedBy: 'a secret in a header is compared whole',
    plugin: withTrigger({
      authenticate: async (ctx, head) => {
        const { authorization = '' } = head.headers;
        const known = `Bearer ${String(ctx.credentials.bearer)}`;
        return authorization.startsWith(known.slice(0, 20)) ? {} : sound.authenticate(ctx, head);
      },
    }),
  },
  {
    flaw: 'a key of the moment',
    noticedBy: 'the same audience has the same key, and another one another',
    plugin: withFile((file) => ({ ...file, key: String(process.hrtime.bigint()) })),
  },
  {
    flaw: 'one key for all audiences',
    noticedBy: 'the same audience has the same key, and another one another',
    plugin: withFile((file) => ({ ...file, key: 'always' })),
  },
  {
    flaw: 'names that are decoded',
    noticedBy: 'names of pushed audiences are taken literally',
    plugin: withFile((file) => ({ ...file, audienceName: decodeURIComponent(file.audienceName) })),
  },
  {
    flaw: 'a request without a name that makes an audience',
    noticedBy: 'a request of which nothing can become is refused with what was expected',
    plugin: withTrigger({
      receive: (ctx, request) =>
        sound.receive(ctx, { ...request, fields: { name: 'none', ...request.fields } }),
    }),
  },
  {
    flaw: 'a secret in a fault',
    noticedBy: 'secrets of a webhook appear in no log line, fault or key',
    plugin: withTrigger({
      async authenticate(ctx, head) {
        try {
          return await sound.authenticate(ctx, head);
        } catch {
          throw fault.auth('UNKNOWN', `Expected ${String(ctx.credentials.bearer)}.`);
        }
      },
    }),
  },
];
