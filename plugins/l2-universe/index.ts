import { z } from 'zod';
import {
  type Context,
  defineInput,
  fault,
  type FileShape,
  type PushedFile,
  secret,
  type WebhookRequest,
} from '../../src/kit/index.js';
import { authenticate } from './authenticate.js';
import { parseUniverseName } from './universe-name.js';

const GIB = 1024 ** 3;

const settings = z.object({
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,32}$/, 'must be 1 to 32 letters, digits or hyphens')
    .default('IQM')
    .meta({ description: 'What names of universes begin with' }),
  seats: z
    .record(z.string(), z.string())
    .default({})
    .meta({ description: 'Seat id by account id, for organizations with several workspaces' }),
  maxBytes: z.int().positive().default(GIB).meta({ description: 'Largest request and file, in bytes' }),
});
const credentials = z.object({
  signingSecret: secret('Signs requests (x-hub-signature)').min(16).optional(),
  bearerSecret: secret('Sent with requests (Authorization: Bearer)').min(16).optional(),
});

type L2Context = Context<z.output<typeof settings>, z.output<typeof credentials>>;

/** Universes that L2 DataMapping transmits. */
export const l2Universe = defineInput({
  id: 'l2-universe',
  name: 'L2 universe',
  description: 'Universes that the L2 DataMapping platform transmits: a universe is a segmented audience.',
  version: '1.0.0',
  settings,
  credentials,
  async check(ctx) {
    const { signingSecret, bearerSecret } = ctx.credentials;
    if (signingSecret !== undefined || bearerSecret !== undefined) return Promise.resolve();
    throw fault.config(
      'SECRET_MISSING',
      'Nobody can send to this input. Give it a signingSecret or a bearerSecret.',
    );
  },
  trigger: {
    type: 'webhook',
    path: 'l2/universes',
    maxBytes: ({ maxBytes }) => maxBytes,
    authenticate: (ctx, head) => Promise.resolve(authenticate(ctx.credentials, head, ctx.now())),
    receive: (ctx, request) => Promise.resolve(receive(ctx, request)),
  },
});

function receive({ settings: { prefix, seats, maxBytes } }: L2Context, request: WebhookRequest): PushedFile {
  const name = request.fields.name ?? request.query.name ?? '';
  const { accountId, segment } = parseUniverseName(name, prefix);
  const { url } = request.fields;
  if (request.content === 'none' && url === undefined) {
    throw fault.permanent(
      'UNIVERSE_EMPTY',
      'The universe has no rows. Send a file, "rows", or a "url" to fetch.',
    );
  }
  const seatId = seats[accountId];
  const shape: FileShape = { format: 'csv', header: true, encodings: 'detect', maxBytes };
  return {
    // One audience for a segment of an account, however its prefix is written.
    key: `${accountId}/${segment}`,
    workspace: { by: 'account', accountId, ...(seatId === undefined ? {} : { seatId }) },
    audienceName: segment,
    segmented: true,
    ...(request.content === 'none' && url !== undefined ? { url } : {}),
    shape,
    onUnknown: 'create',
  };
}
